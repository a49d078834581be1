import type { MonitorOptions } from '../core/load-monitor/monitor-options.js';
import type { FleetSource } from '../core/fleet-event.js';
import type { LoadPolicy } from '../core/load-policy.js';

/** How a {@link KvWorkerMonitor} judges and runs. */
export interface KvMonitorOptions extends Pick<MonitorOptions, 'scheduler'> {
  /** The rules; `policies.default` when absent. */
  readonly policy?: LoadPolicy;
  /** The role of the monitored endpoint; `aggregated` when absent. */
  readonly source?: FleetSource;
}
