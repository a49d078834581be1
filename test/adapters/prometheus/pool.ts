import { Subject, VirtualTimeScheduler } from 'rxjs';
import {
  poolMetrics,
  type PoolMetrics,
  type PoolMetricsOptions,
} from '../../../src/adapters/prometheus/pool-metrics.js';
import { recordedInputs } from '../../../src/testing/recordings/recorded-inputs.js';
import type { RecordedInput } from '../../../src/wire/recording/recording.js';
import { loadMonitor, type LoadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import type { MonitorOptions, MonitorSources } from '../../../src/core/pipeline/monitor-sources.js';
import { policies } from '../../../src/core/policy/policies.js';

/** A pool with events from the test, at times that the test sets. */
export class TestPool {
  private readonly events$ = new Subject<RecordedInput>();
  readonly scheduler = new VirtualTimeScheduler();
  readonly monitor: LoadMonitor;
  readonly metrics: PoolMetrics;

  constructor(
    options: PoolMetricsOptions = {},
    monitor: Partial<MonitorOptions> = {},
    sources: MonitorSources = {},
  ) {
    const { scheduler } = this;
    this.monitor = loadMonitor(
      { ...sources, events: this.events$.pipe(recordedInputs()) },
      { policy: policies.default, scheduler, ...monitor },
    );
    this.metrics = poolMetrics(this.monitor, { scheduler, ...options });
  }

  apply(...events: RecordedInput[]): void {
    for (const event of events) this.events$.next(event);
  }

  /** Advances the clock by some milliseconds. */
  advance(ms: number): void {
    this.scheduler.frame += ms;
  }
}
