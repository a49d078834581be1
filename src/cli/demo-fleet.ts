import {
  distinctUntilChanged,
  merge,
  mergeMap,
  of,
  scan,
  share,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import type { FleetEvent } from '../core/fleet-event.js';
import type { LoadPolicy } from '../core/load-policy.js';
import type { LoadThresholdUpdate } from '../core/load-thresholds.js';
import type { SimulatedFact } from '../simulator/simulated-fact.js';
import type { ModelState } from '../testing/model-state.js';
import { firstStep, step, type ModelStep } from '../testing/model.js';
import { decodeDiscoveryRecord } from '../wire/discovery-record.js';
import type { LoadDecoder } from '../wire/load-decoder.js';

/** What a demo watches, and under which rules. */
export interface DemoFleet {
  readonly facts$: Observable<SimulatedFact>;
  readonly decoder: LoadDecoder;
  readonly policy: LoadPolicy;
  readonly marks: LoadThresholdUpdate;
}

/**
 * The whole way from bytes to busy workers, in one composition: real bytes → decode → merge → scan → distinct.
 *
 * Emits a step whenever the set of busy workers changed.
 */
export function demoSteps(
  { facts$, decoder, policy, marks }: DemoFleet,
  scheduler: SchedulerLike,
): Observable<ModelStep> {
  const shared$ = facts$.pipe(share());
  const loads$ = shared$.pipe(mergeMap((fact) => loadEvents(fact, decoder)));
  const discovery$ = shared$.pipe(mergeMap(discoveryEvents));
  const thresholds$ = of<FleetEvent>({ kind: 'thresholds', ...marks });
  const first = firstStep(policy, { decodeInstances: [], cards: true });
  return merge(thresholds$, discovery$, loads$).pipe(
    scan((last, event) => step(last.state, event, scheduler.now()), first),
    distinctUntilChanged((a, b) => sameBusy(a.state, b.state)),
  );
}

function loadEvents(fact: SimulatedFact, decoder: LoadDecoder): FleetEvent[] {
  if (!('payload' in fact)) return [];
  const decoded = decoder.decode(fact.payload);
  return 'load' in decoded ? [decoded.load] : [];
}

function discoveryEvents(fact: SimulatedFact): FleetEvent[] {
  if (!('key' in fact)) return [];
  const record = decodeDiscoveryRecord(fact);
  if (
    'error' in record ||
    (record.kind !== 'instance' && record.kind !== 'model') ||
    record.instanceId === null
  )
    return [];
  const { instanceId: workerId, removed } = record;
  if (record.kind === 'instance') return [{ kind: 'instance', workerId, present: removed !== true }];
  return [{ kind: 'config', workerId, config: 'runtimeConfig' in record ? record.runtimeConfig : null }];
}

function sameBusy({ busy: a }: ModelState, { busy: b }: ModelState): boolean {
  return a.size === b.size && [...a.keys()].every((id) => b.has(id));
}
