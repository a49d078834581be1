import { Subject, type Observable } from 'rxjs';
import type { ActiveLoad } from '../../src/core/events/fleet-event.js';
import type { ConfigChange, InstanceChange } from '../../src/core/pipeline/monitor-sources.js';
import type { LoadThresholdUpdate } from '../../src/core/policy/load-thresholds.js';
import { policies } from '../../src/core/policy/policies.js';
import { clientPolicies } from '../../src/dynamo/client-policy.js';
import { instanceClient, type InstanceClient } from '../../src/dynamo/instance-client.js';
import type { KvMonitorSources } from '../../src/dynamo/kv-monitor-options.js';
import { KvWorkerMonitor } from '../../src/dynamo/kv-worker-monitor.js';
import { loadWithBlocks, configsOf, ManualClock, ids } from './virtual-fleet.js';

export type Release = keyof typeof clientPolicies;

/** The sources that a test drives. */
interface Feed {
  readonly instances$: Subject<InstanceChange>;
  readonly configs$: Subject<ConfigChange>;
  readonly loads$: Subject<ActiveLoad>;
}

/** A monitor with its client and its sources, on a clock that the test advances. */
export class MonitoredClient {
  readonly clock = new ManualClock();
  readonly feed: Feed = { instances$: new Subject(), configs$: new Subject(), loads$: new Subject() };
  readonly client: InstanceClient;
  readonly monitor: KvWorkerMonitor;
  readonly problems: string[] = [];

  constructor(
    release: Release = 'default',
    thresholds: LoadThresholdUpdate = { activeDecodeBlocksThreshold: 0.9 },
    sources: KvMonitorSources = {},
  ) {
    this.client = this.newClient(release, this.feed.instances$);
    this.monitor = new KvWorkerMonitor(
      { configs: this.feed.configs$, loads: this.feed.loads$, client: this.client, ...sources },
      thresholds,
      { policy: policies[release], scheduler: this.clock },
    );
    this.monitor.problems$.subscribe(({ code, source }) => this.problems.push(`${code} ${source}`));
  }

  newClient(release: Release, instances$: Observable<InstanceChange>): InstanceClient {
    return instanceClient(instances$, { policy: clientPolicies[release], scheduler: this.clock });
  }

  /** Starts the monitor, with discovered workers of 100 blocks. */
  async started(...workers: number[]): Promise<this> {
    await this.monitor.startMonitoring();
    this.settle(...workers);
    return this;
  }

  settle(...workers: number[]): void {
    this.feed.instances$.next(ids(...workers));
    this.feed.configs$.next(configsOf(...workers));
  }

  load(worker: number, activeDecodeBlocks: number): void {
    this.feed.loads$.next(loadWithBlocks(worker, activeDecodeBlocks));
  }

  get free(): string[] {
    return [...this.client.snapshot().free];
  }
}
