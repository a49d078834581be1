import { mergeMap, share, type Observable, type SchedulerLike } from 'rxjs';
import type { LoadReported } from '../core/fleet-event.js';
import { loadMonitor, type LoadMonitor } from '../core/load-monitor/load-monitor.js';
import type { ConfigChange, InstanceChange } from '../core/load-monitor/monitor-sources.js';
import type { LoadPolicy } from '../core/load-policy.js';
import type { LoadThresholdUpdate } from '../core/load-thresholds.js';
import type { SimulatedFact } from '../simulator/simulated-fact.js';
import { decodeDiscoveryRecord, type DiscoveryRecord } from '../wire/discovery-record.js';
import type { LoadDecoder } from '../wire/load-decoder.js';

/** What a demo watches, and under which rules. */
export interface DemoFleet {
  readonly facts$: Observable<SimulatedFact>;
  readonly decoder: LoadDecoder;
  readonly policy: LoadPolicy;
  readonly marks: LoadThresholdUpdate;
}

/**
 * The whole way from bytes to busy workers: the facts of a fleet, decoded, are the sources of a monitor. It ends
 * when the facts do.
 */
export function demoMonitor(
  { facts$, decoder, policy, marks }: DemoFleet,
  scheduler: SchedulerLike,
): LoadMonitor {
  // One subscription of each source, three in all, makes the facts flow; the last one finds the others there.
  const shared$ = facts$.pipe(share());
  const records$ = shared$.pipe(mergeMap((fact) => ('key' in fact ? [decodeDiscoveryRecord(fact)] : [])));
  return loadMonitor(
    {
      configs: records$.pipe(mergeMap(configChanges)),
      decodeInstances: records$.pipe(mergeMap(instanceChanges)),
      loads: shared$.pipe(mergeMap((fact) => loads(fact, decoder))),
    },
    { policy, scheduler, start: { thresholds: marks } },
  );
}

type Decoded = ReturnType<typeof decodeDiscoveryRecord>;

function configChanges(record: Decoded): ConfigChange[] {
  if (!isOf(record, 'model') || record.instanceId === null) return [];
  const config = 'runtimeConfig' in record ? record.runtimeConfig : null;
  return [{ workerId: record.instanceId, config }];
}

function instanceChanges(record: Decoded): InstanceChange[] {
  return isOf(record, 'instance') ? [{ workerId: record.instanceId, present: record.removed !== true }] : [];
}

function isOf<Kind extends DiscoveryRecord['kind']>(
  record: Decoded,
  kind: Kind,
): record is Extract<DiscoveryRecord, { kind: Kind }> {
  return 'kind' in record && record.kind === kind;
}

function loads(fact: SimulatedFact, decoder: LoadDecoder): LoadReported[] {
  if (!('payload' in fact)) return [];
  const decoded = decoder.decode(fact.payload);
  return 'load' in decoded ? [decoded.load] : [];
}
