import type { Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import type { LoadForm } from '../../src/dynamo/loads/load-receiver.js';
import type { NatsLink } from '../../src/adapters/nats/nats-link.js';
import { receiveLoads, type ReceivedLoads } from '../../src/dynamo/loads/receive-loads.js';
import type { ActiveLoad, FleetEvent, LoadReceived } from '../../src/core/events/fleet-event.js';
import { type LoadBatch, type LoadColumns, batchEvents } from '../../src/core/events/load-batch.js';
import type { LoadPolicy } from '../../src/core/policy/load-policy.js';
import { checkThresholds, type LoadThresholdConfig } from '../../src/core/policy/load-threshold-config.js';
import type { LoadThresholdUpdate } from '../../src/core/policy/load-thresholds.js';
import { policies, type PolicyName } from '../../src/core/policy/policies.js';
import { type BusySet, isSameBusySet, snapshotOf } from '../../src/core/state/busy-set.js';
import type { FleetRanks, RankValues, WorkerRanks } from '../../src/core/state/fleet-ranks.js';
import { type WorkerId, workerId } from '../../src/core/worker-id.js';
import type { MessageSource } from '../../src/core/sources/message-source.js';
import { dynamoFleet } from '../../src/fleet/dynamo-fleet.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import type { DecodedLoad } from '../../src/wire/loads/load-decoder.js';

describe('types', () => {
  it('WorkerId - is a string, but a string is not a WorkerId', () => {
    expectTypeOf<WorkerId>().toExtend<string>();
    expectTypeOf<string>().not.toExtend<WorkerId>();
    expectTypeOf<number>().not.toExtend<WorkerId>();
    expectTypeOf(workerId).returns.toEqualTypeOf<WorkerId>();
  });

  it('FleetEvent - is closed, and does not contain start and raw messages', () => {
    expectTypeOf<'start' | 'message'>().not.toExtend<FleetEvent['kind']>();
    expectTypeOf<'load' | 'configs' | 'config' | 'instance' | 'markExpired' | 'stop'>().toExtend<
      FleetEvent['kind']
    >();
  });

  it('policies - every row is a policy, a row with cells changed too, and an unknown content is not', () => {
    expectTypeOf<(typeof policies)[PolicyName]>().toExtend<LoadPolicy>();
    expectTypeOf({ ...policies.default, rollUp: { atLeast: 2 } }).toExtend<LoadPolicy>();
    expectTypeOf({ ...policies.default, rollUp: 'most' as const }).not.toExtend<LoadPolicy>();
  });

  it('a change of thresholds - may be partial, null, or undefined', () => {
    expectTypeOf<{ activeDecodeBlocksThreshold: undefined }>().toExtend<LoadThresholdUpdate>();
    expectTypeOf<{ activePrefillTokensThreshold: bigint | null }>().toExtend<LoadThresholdUpdate>();
    expectTypeOf<{ activeDecodeBlocksThreshold: bigint }>().not.toExtend<LoadThresholdUpdate>();
  });

  it('a busy set - has its ids, and whether they are all that a receiver needs', () => {
    expectTypeOf<BusySet['ids']>().toEqualTypeOf<readonly WorkerId[]>();
    expectTypeOf<BusySet['isSnapshot']>().toBeBoolean();
    expectTypeOf<BusySet>().toExtend<Iterable<WorkerId>>();
    expectTypeOf(snapshotOf).toEqualTypeOf<(busy: BusySet) => BusySet>();
    expectTypeOf(isSameBusySet).returns.toBeBoolean();
  });

  it('a config of thresholds - is a change of thresholds, and a text is not', () => {
    expectTypeOf<LoadThresholdConfig>().toExtend<LoadThresholdUpdate>();
    expectTypeOf<{ activeDecodeBlocksThreshold: string }>().not.toExtend<LoadThresholdUpdate>();
    expectTypeOf(checkThresholds).parameter(0).toEqualTypeOf<LoadThresholdUpdate>();
  });

  it('ranks as plain data', () => {
    expectTypeOf<FleetRanks['workers'][number]>().toEqualTypeOf<WorkerRanks>();
    expectTypeOf<WorkerRanks['ranks'][number]>().toEqualTypeOf<RankValues>();
  });

  it('a decoded load - is narrowed by its key', () => {
    const narrowed = (decoded: DecodedLoad): string =>
      'load' in decoded
        ? decoded.load.workerId
        : 'error' in decoded
          ? decoded.error.code
          : decoded.foreignTopic;
    expectTypeOf(narrowed).returns.toBeString();
  });

  it('LoadBatch - is made by its constructor only, and its columns cannot be replaced', () => {
    expectTypeOf<LoadColumns>().not.toExtend<LoadBatch>();
    expectTypeOf<Pick<LoadBatch, keyof LoadBatch>>().not.toExtend<LoadBatch>();
    expectTypeOf<LoadBatch['workerIds']>().toEqualTypeOf<readonly WorkerId[]>();
    expectTypeOf(batchEvents).returns.toEqualTypeOf<LoadReceived[]>();
  });

  it('loads - are objects by default, and columns by name', () => {
    const messages = {} as MessageSource;
    const fleet = { nats: {} as NatsLink, etcd: '' };
    const receivedOf = (form: LoadForm) => receiveLoads(messages, { form });
    const dynamoOf = (form: LoadForm) => dynamoFleet({ ...fleet, form });
    expectTypeOf(() => receiveLoads(messages).loads$).returns.toEqualTypeOf<Observable<LoadReceived>>();
    expectTypeOf(() => receiveLoads(messages, { form: 'columns' }).loads$).returns.toEqualTypeOf<
      Observable<LoadBatch>
    >();
    expectTypeOf(receivedOf).returns.toEqualTypeOf<ReceivedLoads<LoadReceived | LoadBatch>>();
    expectTypeOf(() => dynamoFleet(fleet).pool().sources.loads).returns.toEqualTypeOf<
      Observable<LoadReceived>
    >();
    expectTypeOf(() => dynamoFleet({ ...fleet, form: 'columns' }).loads$).returns.toEqualTypeOf<
      Observable<LoadBatch>
    >();
    expectTypeOf(dynamoOf).returns.toEqualTypeOf<Fleet<ActiveLoad | LoadBatch>>();
    expectTypeOf<Fleet>().toEqualTypeOf<Fleet<ActiveLoad | LoadBatch>>();
  });
});
