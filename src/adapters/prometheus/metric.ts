/** One metric: its name and what belongs to it. It fits the constructors of prom-client as it is. */
export interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** In the order in which they are written. */
  readonly labelNames: readonly string[];
}
