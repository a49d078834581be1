import { distinctUntilChanged, filter, map, type Observable, type SchedulerLike } from 'rxjs';
import { monotonicScheduler } from '../../../src/adapters/clock/monotonic-scheduler.js';
import { loadMonitor, type LoadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import { policies } from '../../../src/core/policy/policies.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import { dynamoFleet } from '../../../src/fleet/dynamo-fleet.js';
import { SourceListener } from '../source-listener.js';
import { NatsListener } from '../nats/nats-listener.js';
import { LISTENER } from '../nats/nats-stage.js';
import { ENDPOINT } from './fleet-worker.js';
import { THRESHOLD } from './worker-plan.js';

/** A monitor of the fleet behind both proxies, and the statuses of its sources. */
export class FleetListener {
  readonly monitor: LoadMonitor;
  readonly loads: NatsListener;
  readonly discovery: SourceListener;

  constructor(ports: { readonly nats: number; readonly etcd: number }, etcdClock: SchedulerLike) {
    const fleet = dynamoFleet({
      nats: { servers: `nats://127.0.0.1:${ports.nats}`, auth: LISTENER },
      etcd: { hosts: `http://127.0.0.1:${ports.etcd}`, scheduler: etcdClock },
      endpoint: ENDPOINT,
    });
    const thresholds = { activeDecodeBlocksThreshold: THRESHOLD };
    this.monitor = loadMonitor(fleet.pool().sources, {
      policy: policies.default,
      scheduler: monotonicScheduler,
      thresholds,
    });
    const { loads$, accounting$ } = fleet;
    this.loads = new NatsListener({ loads$, accounting$, status$: this.#status('loads') }, (load) => [
      String(load.publisherId),
      Number(load.sequence),
    ]);
    this.discovery = new SourceListener(this.#status('discovery'));
    this.monitor.connect();
  }

  unsubscribe(): void {
    this.loads.unsubscribe();
    this.discovery.unsubscribe();
    this.monitor.stop();
  }

  /** The status of one source of the monitor. */
  #status(name: string): Observable<SourceStatus> {
    return this.monitor.status$.pipe(
      map((all) => all.find(({ source }) => source === name)),
      filter((status) => status !== undefined),
      distinctUntilChanged(),
    );
  }
}
