import { defer, EMPTY, mergeMap, NEVER, repeat, share, of, type Observable, type SchedulerLike } from 'rxjs';
import { discoveryOf } from '../adapters/etcd/discovery-of.js';
import type { LoadReported } from '../core/fleet-event.js';
import { loadMonitor, type LoadMonitor } from '../core/load-monitor/load-monitor.js';
import type { LoadPolicy } from '../core/load-policy.js';
import type { LoadThresholdUpdate } from '../core/load-thresholds.js';
import type { SourceStatus } from '../core/source-status.js';
import type { FleetSource } from '../service/pools/fleet-source.js';
import type { FleetPlan } from '../simulator/fleet-plan.js';
import { simulateFleet } from '../simulator/simulate-fleet.js';
import type { SimulatedFact } from '../simulator/simulated-fact.js';
import { SIMULATED_ENDPOINT } from '../simulator/simulated-worker.js';
import type { DiscoveryBatch } from '../wire/discovery-change.js';
import { LoadDecoder } from '../wire/load-decoder.js';
import { paced } from './paced.js';

/** What a demo watches, and under which rules. */
export interface DemoFleet {
  readonly facts$: Observable<SimulatedFact>;
  readonly decoder: LoadDecoder;
  readonly policy: LoadPolicy;
  readonly marks: LoadThresholdUpdate;
  /** Changes of the marks while it is watched. */
  readonly marks$?: Observable<LoadThresholdUpdate>;
}

/**
 * The whole way from bytes to busy workers: the facts of a fleet, decoded, are the sources of a monitor. It ends
 * when the facts do.
 */
export function demoMonitor(
  { facts$, decoder, policy, marks, marks$ = EMPTY }: DemoFleet,
  scheduler: SchedulerLike,
): LoadMonitor {
  // The first subscription of a source makes the facts flow, on the scheduler; by then the others are there.
  const shared$ = facts$.pipe(share());
  const fleet = discoveryOf(shared$.pipe(mergeMap(batches)));
  return loadMonitor(
    {
      configs: fleet.configs(SIMULATED_ENDPOINT),
      decodeInstances: fleet.instances(SIMULATED_ENDPOINT),
      loads: shared$.pipe(mergeMap((fact) => loads(fact, decoder))),
      thresholds: marks$,
    },
    { policy, scheduler, start: { thresholds: marks } },
  );
}

/** A simulated fleet for a service, over and over, without end. */
export function simulatedFleet(plan: Omit<FleetPlan, 'startedAt'>, scheduler: SchedulerLike): FleetSource {
  const decoder = new LoadDecoder(plan.policy);
  const facts$ = defer(() => paced(simulateFleet({ ...plan, startedAt: Date.now() }), scheduler)).pipe(
    repeat(),
    share(),
  );
  const discovery = discoveryOf(facts$.pipe(mergeMap(batches)));
  return {
    pools$: discovery.pools$,
    pool: (name) => discovery.pool(name),
    loads$: facts$.pipe(mergeMap((fact) => loads(fact, decoder))),
    problems$: NEVER,
    status: [defer(() => of<SourceStatus>({ source: 'simulation', state: 'live', since: scheduler.now() }))],
  };
}

function batches(fact: SimulatedFact): DiscoveryBatch[] {
  if (!('key' in fact)) return [];
  const { key, value } = fact;
  return [{ kind: 'changes', changes: [value.length === 0 ? { key } : { key, value }] }];
}

function loads(fact: SimulatedFact, decoder: LoadDecoder): LoadReported[] {
  if (!('payload' in fact)) return [];
  const decoded = decoder.decode(fact.payload);
  return 'load' in decoded ? [decoded.load] : [];
}
