import { tap, type Subscription } from 'rxjs';
import { loadMonitor, type LoadMonitor } from '../../src/core/pipeline/load-monitor.js';
import type { LoadThresholdUpdate } from '../../src/core/policy/load-thresholds.js';
import { policies } from '../../src/core/policy/policies.js';
import { dynamoFleet } from '../../src/fleet/dynamo-fleet.js';
import type { Servers } from './python-process.js';
import { monitoring, type MonitoringRelease } from './releases.js';

/** A tidemark monitor of the fleet that a frontend of this release watches. */
export class OurMonitor implements Disposable {
  /** All sets of busy workers after the first, empty one, in order, each sorted. */
  readonly busySets: string[][] = [];
  /** The number of received loads. */
  received = 0;
  readonly problems: string[] = [];
  private readonly monitor: LoadMonitor;
  private readonly run: Subscription;

  constructor(release: MonitoringRelease, { nats, etcd }: Servers, thresholds: LoadThresholdUpdate = {}) {
    const fleet = dynamoFleet({ nats: nats.url, etcd: etcd.url, endpoint: 'dynamo.backend.generate' });
    const { sources } = fleet.pool();
    const loads = sources.loads.pipe(tap(() => (this.received += 1)));
    const options = { policy: policies[monitoring[release].policy], thresholds };
    this.monitor = loadMonitor({ ...sources, loads }, options);
    this.monitor.busy$.subscribe((set) => {
      if (set.added.length + set.removed.length > 0) this.busySets.push([...set].sort());
    });
    this.monitor.problems$.subscribe(({ code, text }) => this.problems.push(`${code}: ${text}`));
    this.run = this.monitor.connect();
  }

  get instances(): number {
    return this.monitor.snapshot()?.fleet.instances ?? 0;
  }

  live(): boolean {
    return this.monitor.snapshot()?.status.every(({ state }) => state === 'live') ?? false;
  }

  [Symbol.dispose](): void {
    this.run.unsubscribe();
    this.monitor.stop();
  }
}
