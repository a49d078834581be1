import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Role } from '../../../../src/core/events/fleet-event.js';
import type { WorkerState } from '../../../../src/core/judgement/worker-state.js';
import type { LoadPolicy } from '../../../../src/core/policy/load-policy.js';
import { policies } from '../../../../src/core/policy/policies.js';
import { isKnown } from '../../../../src/core/state/known-workers.js';
import { noRanks } from '../../../../src/core/state/rank-memory.js';
import { Workers } from '../../../../src/core/state/storage/workers.js';
import { id } from '../../../support/fleet.js';

const names = [1, 2, 3].map(id);
const states = ['busy', 'free', 'unknown'] as const satisfies WorkerState[];

/** Every change of a worker, each with a slot. */
const changes: Readonly<
  Record<string, (workers: Workers, slot: number, on: boolean, state: WorkerState) => void>
> = {
  reportConfig: (workers, slot, on) => workers.reportConfig(slot, { start: 0, end: 2 }, on, 0),
  removeConfig: (workers, slot) => workers.removeConfig(slot),
  setCounted: (workers, slot, on) => workers.setCounted(slot, on),
  join: (workers, slot, on) => workers.join(slot, roleOf(on)),
  leave: (workers, slot, on) => workers.leave(slot, roleOf(on)),
  setDown: (workers, slot, on) => workers.setDown(slot, on),
  setOverloadMark: (workers, slot, on) => workers.setOverloadMark(slot, on),
  judge: (workers, slot, _, state) => void workers.judge(slot, state),
  forgetJudgement: (workers, slot) => workers.forgetJudgement(slot),
  rememberOlder: (workers, slot, on) => workers.rememberOlder(slot, on ? noRanks : undefined),
  createState: (workers, slot) => workers.createState(slot),
  forgetState: (workers, slot) => workers.forgetState(slot),
  declare: (workers, slot, on) => {
    if (workers.hasState(slot)) workers.declare(slot, { start: 0, end: on ? 2 : 1 }, 0, []);
  },
  keepRanks: (workers, slot, on) => workers.keepRanks(slot, { start: 0, end: on ? 2 : 1 }),
  judgeRank: (workers, slot, on, state) => {
    if (!workers.hasState(slot)) return;
    const found = workers.findCell(slot, 1);
    workers.judgeRank(slot, found === -1 ? workers.addCell(slot, 1, 0, 2) : found, on ? state : null);
  },
  see: (workers, slot) =>
    void workers.see((['configs', 'decode', 'prefill'] as const)[slot % 3] ?? 'configs'),
};

function roleOf(on: boolean): Role {
  return on ? 'decode' : 'prefill';
}

const change = fc.record({
  name: fc.constantFrom(...Object.keys(changes)),
  worker: fc.constantFrom(...names),
  on: fc.boolean(),
  state: fc.constantFrom(...states),
  judges: fc.boolean(),
  endsEvent: fc.boolean(),
});

/** The slots that pass, of all workers. */
function slotsOf(workers: Workers, passes: (slot: number) => boolean): number[] {
  return sorted([...workers.all()].filter(passes));
}

function sorted(slots: Iterable<number>): number[] {
  return [...slots].sort((a, b) => a - b);
}

/** What each worker that does not wait to be judged is judged by. */
function judgedBy(workers: Workers, policy: LoadPolicy): Map<number, unknown> {
  const settled = slotsOf(workers, (slot) => !workers.isQueued(slot));
  return new Map(
    settled.map((slot) => [
      slot,
      {
        known: isKnown(workers, policy, slot),
        hasState: workers.hasState(slot),
        size: workers.hasRange(slot) ? workers.rangeSize(slot) : undefined,
        busyRanks: workers.busyRanks(slot),
        freeRanks: workers.freeRanks(slot),
        countedRanks: workers.countedRanks(slot),
      },
    ]),
  );
}

/** Under a policy for which free needs no evidence, nothing is unknown. */
function isPossible({ withoutEvidence }: LoadPolicy, state: WorkerState): boolean {
  return withoutEvidence === 'unknown' || state !== 'unknown';
}

/** Expects the counts and the sets that follow from the workers. */
function expectAgreement(workers: Workers, policy: LoadPolicy): void {
  const holds = policy.unknownWorkers.loads === 'held';
  const { known, held, instances, down, ...counts } = workers.counts();
  expect(known + held).toBe(slotsOf(workers, (slot) => workers.hasState(slot)).length);
  expect(instances).toBe(slotsOf(workers, (slot) => workers.hasInstance(slot)).length);
  expect(down).toBe(slotsOf(workers, (slot) => workers.isDown(slot)).length);
  const present = slotsOf(workers, (slot) => workers.isPresent(slot));
  expect(counts.workers).toBe(present.length);
  expect(counts.free).toBe(present.filter((slot) => workers.state(slot) === 'free').length);
  expect(counts.unknown).toBe(present.filter((slot) => workers.state(slot) === 'unknown').length);
  const isHeld = (slot: number): boolean =>
    holds && workers.hasState(slot) && !isKnown(workers, policy, slot);
  expect(sorted(workers.held)).toEqual(slotsOf(workers, isHeld));
  const isMarked = (slot: number): boolean => workers.isOverloadMarked(slot);
  expect(sorted(workers.overloadMarked)).toEqual(slotsOf(workers, isMarked));
  const isUnsettled = (slot: number): boolean =>
    workers.isCounted(slot)
      ? !workers.hasRange(slot)
      : !holds && (workers.hasState(slot) || workers.olderMemory(slot) !== undefined);
  expect(sorted(workers.unsettled)).toEqual(slotsOf(workers, isUnsettled));
}

/** Publishes what changed and releases what is empty, and expects that nothing was forgotten. */
function endEvent(workers: Workers): void {
  for (const { slot } of workers.takeTransitions()) workers.publish(slot, 0);
  for (const slot of workers.all())
    expect(workers.state(slot)).toBe(workers.isOverloadMarked(slot) ? 'busy' : workers.judgedState(slot));
  workers.releaseEmpty();
  expect(workers.isUntouched).toBe(true);
  const isForgotten = (slot: number): boolean =>
    workers.isEmpty(slot) && workers.olderMemory(slot) === undefined;
  expect(slotsOf(workers, isForgotten)).toEqual([]);
}

describe('workers', () => {
  it.each([policies.default, policies['dynamo-1.0'], policies['dynamo-1.6']])(
    'note by themselves what follows from a change, under $name',
    (policy) => {
      fc.assert(
        fc.property(fc.array(change, { maxLength: 60, size: 'max' }), (history) => {
          const workers = new Workers(policy);
          for (const { name, worker, on, state, judges, endsEvent } of history) {
            const slot = workers.intern(worker);
            const before = judgedBy(workers, policy);
            changes[name]?.(workers, slot, on, isPossible(policy, state) ? state : 'free');
            for (const [notQueued, by] of judgedBy(workers, policy))
              expect(by).toEqual(before.get(notQueued));
            expectAgreement(workers, policy);
            if (judges) workers.takeQueued();
            if (endsEvent) endEvent(workers);
          }
        }),
      );
    },
  );

  it('remember whether only the overload mark made a worker busy, however often it changes in an event', () => {
    const workers = new Workers(policies.default);
    const slot = workers.intern(id(1));
    workers.setOverloadMark(slot, true);
    workers.takeTransitions();
    workers.publish(slot, 0);
    workers.setOverloadMark(slot, false);
    workers.judge(slot, 'busy');
    workers.judge(slot, 'unknown');
    expect(workers.takeTransitions()).toEqual([{ slot, onlyMarked: true }]);
  });

  it('change nothing with what is already stored', () => {
    const workers = new Workers(policies.default);
    const slot = workers.intern(id(1));
    workers.join(slot, 'decode');
    workers.takeQueued();
    workers.releaseEmpty();
    workers.join(slot, 'decode');
    workers.leave(slot, 'prefill');
    workers.setDown(slot, false);
    workers.setOverloadMark(slot, false);
    workers.setCounted(slot, false);
    workers.forgetState(slot);
    expect(workers.judge(slot, 'unknown')).toBe(false);
    expect([workers.hasQueued, workers.isUntouched]).toEqual([false, true]);
  });
});
