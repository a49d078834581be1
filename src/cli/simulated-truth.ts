import { Subject } from 'rxjs';
import type { ActiveLoad } from '../core/active-load.js';
import { loadMonitor, type LoadMonitor } from '../core/load-monitor/load-monitor.js';
import type { MonitorOptions } from '../core/load-monitor/monitor-options.js';
import type { ConfigChange, InstanceChange } from '../core/load-monitor/monitor-sources.js';
import type { RuntimeConfig } from '../core/runtime-config.js';
import type { WorkerId } from '../core/worker-id.js';

/** What a simulated fleet knows of itself, past every server: who is there, and who is busy by what was published. */
export class SimulatedTruth {
  readonly monitor: LoadMonitor;
  private readonly configs$ = new Subject<ConfigChange>();
  private readonly instances$ = new Subject<InstanceChange>();
  private readonly loads$ = new Subject<ActiveLoad>();

  constructor(options: MonitorOptions) {
    const { configs$: configs, instances$: decodeInstances, loads$: loads } = this;
    this.monitor = loadMonitor({ configs, decodeInstances, loads }, options);
  }

  came(workerId: WorkerId, config: RuntimeConfig): void {
    this.configs$.next({ workerId, config });
    this.instances$.next({ workerId, present: true });
  }

  left(workerId: WorkerId): void {
    this.configs$.next({ workerId, config: null });
    this.instances$.next({ workerId, present: false });
  }

  published(load: ActiveLoad): void {
    this.loads$.next(load);
  }
}
