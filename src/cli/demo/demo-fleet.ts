import { defer, EMPTY, mergeMap, NEVER, repeat, share, of, type Observable, type SchedulerLike } from 'rxjs';
import { foldDiscovery } from '../../adapters/etcd/discovery.js';
import type { LoadReceived } from '../../core/events/fleet-event.js';
import { loadMonitor, type LoadMonitor } from '../../core/pipeline/load-monitor.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import type { LoadThresholdUpdate } from '../../core/policy/load-thresholds.js';
import type { SourceStatus } from '../../core/sources/source-status.js';
import type { Fleet } from '../../service/pools/live-fleet.js';
import type { FleetPlan } from '../../simulator/fleet-plan.js';
import { simulateFleet } from '../../simulator/simulate-fleet.js';
import { SIMULATED_ENDPOINT, type SimulatedEvent } from '../../simulator/simulated-worker.js';
import type { DiscoveryBatch } from '../../wire/discovery/discovery-fold.js';
import { LoadDecoder } from '../../wire/loads/load-decoder.js';
import { paced } from '../paced.js';

/** What a demo watches, and by which rules it judges. */
export interface DemoFleet {
  readonly events$: Observable<SimulatedEvent>;
  readonly decoder: LoadDecoder;
  readonly policy: LoadPolicy;
  readonly thresholds: LoadThresholdUpdate;
  /** Changes of the thresholds while the demo runs. */
  readonly thresholds$?: Observable<LoadThresholdUpdate>;
}

/** A monitor whose sources are the decoded events of a simulated fleet. It ends when the events end. */
export function demoMonitor(
  { events$, decoder, policy, thresholds, thresholds$ = EMPTY }: DemoFleet,
  scheduler: SchedulerLike,
): LoadMonitor {
  // The first subscription starts the events, but on the scheduler, so the other sources are subscribed by then.
  const shared$ = events$.pipe(share());
  const fleet = foldDiscovery(shared$.pipe(mergeMap(discoveryBatches)));
  return loadMonitor(
    {
      configs: fleet.configs(SIMULATED_ENDPOINT),
      decodeInstances: fleet.instances(SIMULATED_ENDPOINT),
      loads: shared$.pipe(mergeMap((event) => decodedLoads(event, decoder))),
      thresholds: thresholds$,
    },
    { policy, scheduler, thresholds },
  );
}

/** A simulated fleet for a service. It starts over when it ends, so it never completes. */
export function simulatedFleet(plan: Omit<FleetPlan, 'startedAt'>, scheduler: SchedulerLike): Fleet {
  const decoder = new LoadDecoder(plan.policy);
  const events$ = defer(() => paced(simulateFleet({ ...plan, startedAt: Date.now() }), scheduler)).pipe(
    repeat(),
    share(),
  );
  const discovery = foldDiscovery(events$.pipe(mergeMap(discoveryBatches)));
  return {
    pools$: discovery.pools$,
    pool: (name) => discovery.pool(name),
    loads$: events$.pipe(mergeMap((event) => decodedLoads(event, decoder))),
    problems$: NEVER,
    status: [defer(() => of<SourceStatus>({ source: 'simulation', state: 'live', since: scheduler.now() }))],
  };
}

function discoveryBatches(event: SimulatedEvent): DiscoveryBatch[] {
  if (!('key' in event)) return [];
  const { key, value } = event;
  return [{ kind: 'changes', changes: [value.length === 0 ? { key } : { key, value }] }];
}

function decodedLoads(event: SimulatedEvent, decoder: LoadDecoder): LoadReceived[] {
  if (!('payload' in event)) return [];
  const decoded = decoder.decode(event.payload);
  return 'load' in decoded ? [decoded.load] : [];
}
