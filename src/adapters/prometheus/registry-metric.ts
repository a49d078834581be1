import type { Count } from '../../core/count.js';
import type { Metric } from './metric.js';
import type { SampleSink } from './sample-sink.js';

/** One sample as prom-client has it. */
interface RegistryValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * A metric that speaks the protocol of prom-client's own: a registry asks it for its values when it is scraped. Nothing
 * is kept in between, so there is nothing to remove.
 */
export class RegistryMetric implements SampleSink {
  /** A registry of OpenMetrics takes the `_total` away here, and puts it behind the values. */
  name: string;
  readonly help: string;
  readonly type: Metric['type'];
  readonly aggregator = 'sum';
  /** A registry takes everything in one go. */
  readonly full = false;
  private fixed: Readonly<Record<string, string>> = {};
  private values: RegistryValue[] = [];

  constructor(
    private readonly metric: Metric,
    private readonly fill: (sink: SampleSink) => Generator<void>,
  ) {
    this.name = metric.name;
    this.help = metric.help;
    this.type = metric.type;
  }

  /** The values now; prom-client awaits what comes. */
  get(): Pick<RegistryMetric, 'name' | 'help' | 'type' | 'aggregator'> & { values: RegistryValue[] } {
    const values: RegistryValue[] = [];
    this.values = values;
    const making = this.fill(this);
    while (making.next().done !== true);
    this.values = [];
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values };
  }

  /** What is read from the state cannot be reset. */
  reset(): void {}

  begin(_metric: Metric, labels: Readonly<Record<string, string>>): void {
    this.fixed = labels;
  }

  sample(value: Count, ...own: string[]): void {
    const labels: Record<string, string> = { ...this.fixed };
    this.metric.labelNames.forEach((name, index) => (labels[name] = own[index] ?? ''));
    this.values.push({ labels, value: Number(value) });
  }
}
