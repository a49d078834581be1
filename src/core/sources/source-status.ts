/** How a source is: on its way, delivering, silent for too long, cut off and trying again, or over. */
export type SourceState = 'connecting' | 'live' | 'stale' | 'down' | 'ended';

/** What a source says about itself, or the monitor about a source. */
export interface SourceStatus {
  /** Which source, `loads`, `configs`, `decodeInstances`, `prefillInstances`, or an adapter's own name. */
  readonly source: string;
  readonly state: SourceState;
  /** Since when, in milliseconds of the clock that drives the monitor. */
  readonly since: number;
  /** One sentence for people, where there is something to say. */
  readonly why?: string;
  /** In how many milliseconds it is tried again, where it is down. */
  readonly retryInMs?: number;
}
