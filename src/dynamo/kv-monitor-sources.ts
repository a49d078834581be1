import type { Observable } from 'rxjs';
import type { ConfigChange, MonitorSources } from '../core/load-monitor/monitor-sources.js';
import type { InstanceClient } from './instance-client.js';

/** What a {@link KvWorkerMonitor} takes: the sources of a `loadMonitor`, and the client that it publishes to. */
export interface KvMonitorSources extends Omit<
  MonitorSources,
  'configs' | 'prefillInstances' | 'thresholds'
> {
  /**
   * The cards, or a function that gets hold of them. The monitor does not start when the function throws or its
   * promise is rejected, nor when the stream fails before its first value.
   */
  readonly configs?:
    Observable<ConfigChange> | (() => Observable<ConfigChange> | PromiseLike<Observable<ConfigChange>>);
  /** Is told who is overloaded; and is the source of `decodeInstances` where those are absent, and of `events`. */
  readonly client?: InstanceClient;
}
