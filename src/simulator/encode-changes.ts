import { instanceKey, modelKey } from '../dynamo/discovery/discovery-keys.js';
import { loadSubject } from '../dynamo/loads/subjects.js';
import { encodeInstanceRecord, encodeModelRecord } from '../wire/discovery/encode-discovery-record.js';
import { encodeActiveLoad, encodeActiveLoadJson, encodeEnvelope } from '../wire/loads/load-encoder.js';
import type { FleetPlan } from './fleet-plan.js';
import { DEMO_MODEL, type SimulatedChange, type SimulatedWorker, usesNewLayout } from './simulated-worker.js';

/**
 * An event of a simulated fleet, with the bytes of a real one: a message on a subject, or a key of the discovery backend that
 * is written, or removed if `value` is empty. `at` is the time since the start in milliseconds, and never decreases.
 */
export type SimulatedEvent =
  | { readonly at: number; readonly subject: string; readonly payload: Uint8Array }
  | { readonly at: number; readonly key: string; readonly value: Uint8Array };

const EMPTY_VALUE = new Uint8Array(0);

/** The changes of a fleet as the bytes that its workers write in the release of the plan. */
export function* encodeChanges(
  changes: Iterable<SimulatedChange>,
  plan: FleetPlan,
): Generator<SimulatedEvent, void, undefined> {
  const release = usesNewLayout(plan) ? '1.6' : '1.0';
  const hasEnvelopes = plan.policy.wire.formats.includes('envelope');
  const sequences = new Map<SimulatedWorker, number>();
  for (const change of changes) {
    const { at, worker } = change;
    const { workerId, endpoint, role, config } = worker;
    if ('load' in change) {
      const sequence = sequences.get(worker) ?? 0;
      sequences.set(worker, sequence + 1);
      const header = { publisherId: workerId, sequence, publishedAt: plan.startedAt + at };
      const payload = hasEnvelopes
        ? encodeEnvelope(header, encodeActiveLoad(change.load, release === '1.6' ? 5 : 4))
        : encodeActiveLoadJson(change.load);
      const subject = loadSubject(release === '1.6' ? endpoint : { namespace: endpoint.namespace });
      yield { at, subject, payload };
      continue;
    }
    const address = { ...endpoint, instanceId: workerId };
    const transport = { kind: 'tcp', address: '127.0.0.1:9000' } as const;
    const card = { ...address, role, model: plan.model ?? DEMO_MODEL, runtimeConfig: config };
    const instanceValue = encodeInstanceRecord({ ...address, transport }, { release });
    const modelValue = encodeModelRecord(card, { release });
    yield { at, key: instanceKey(address), value: change.isPresent ? instanceValue : EMPTY_VALUE };
    yield { at, key: modelKey(address), value: change.isPresent ? modelValue : EMPTY_VALUE };
  }
}
