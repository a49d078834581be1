import { deepStrictEqual, notDeepStrictEqual } from 'node:assert';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BusyLog, type BusySet, isSameBusySet, snapshotOf } from '../../../src/core/state/busy-set.js';
import { WorkerSlots } from '../../../src/core/state/storage/worker-slots.js';
import { compareWorkerIds, type WorkerId } from '../../../src/core/worker-id.js';
import { id } from '../../support/fleet.js';

/** Flips workers and commits, beside plain sets of what each version must hold. */
function grow(
  fleet: { readonly log: BusyLog; readonly slots: WorkerSlots },
  flips: readonly (readonly number[])[],
): { version: BusySet; members: WorkerId[] }[] {
  const { log, slots } = fleet;
  const present = new Set<WorkerId>();
  return flips.map((workers) => {
    for (const worker of new Set(workers)) {
      const on = !present.has(id(worker));
      if (on) present.add(id(worker));
      else present.delete(id(worker));
      log.record(slots.intern(id(worker)), on);
    }
    return { version: log.commit(), members: [...present].sort(compareWorkerIds) };
  });
}

function newLog(): { log: BusyLog; slots: WorkerSlots } {
  const slots = new WorkerSlots('free');
  return { log: new BusyLog(slots), slots };
}

describe('busy set', () => {
  it('every version stays what it was, whenever it is read first', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(20), { maxLength: 4 }), { maxLength: 60 }), (flips) => {
        for (const { version, members } of grow(newLog(), flips).reverse()) {
          expect([...version]).toEqual(members);
          expect(version.size).toBe(members.length);
          for (let worker = 0; worker <= 20; worker += 1) {
            expect(version.has(id(worker))).toBe(members.includes(id(worker)));
          }
        }
      }),
    );
  });

  it('versions grow by one with every set that differs, and contain what differs', () => {
    const versions = grow(newLog(), [[1, 10, 2], [], [2], [10, 3]]).map(({ version }) => version);
    expect(versions.map(({ version }) => version)).toEqual([1, 1, 2, 3]);
    expect(versions.map(({ added }) => added)).toEqual([['1', '2', '10'], ['1', '2', '10'], [], ['3']]);
    expect(versions.map(({ removed }) => removed)).toEqual([[], [], ['2'], ['10']]);
    expect(versions[0]).toBe(versions[1]);
  });

  it('old versions survive many epochs of the log, read at the end', () => {
    const log = newLog();
    const flapping = Array.from({ length: 5000 }, (_, i) => [i % 7, 100 + (i % 11)]);
    const all = grow(log, flapping);
    for (const index of [0, 1, 500, 1023, 1024, 2047, 4998, 4999]) {
      expect([...(all[index]?.version ?? [])]).toEqual(all[index]?.members);
    }
  });

  it('toSet is made once, and the newest version does not use it', () => {
    const [one] = grow(newLog(), [[1, 2]]);
    expect(one?.version.toSet()).toBe(one?.version.toSet());
    expect(newLog().log.newest).toMatchObject({ version: 0, size: 0, added: [], removed: [] });
  });
});

const anyFlips = fc.array(fc.array(fc.nat(5), { maxLength: 3 }), { maxLength: 25 });

/** Whether every form of comparison says the same about two busy sets. */
function expectEquality(a: BusySet, b: BusySet, equal: boolean): void {
  expect(isSameBusySet(a, b)).toBe(equal);
  if (equal) {
    deepStrictEqual(a, b);
    deepStrictEqual({ busy: [a] }, { busy: [b] });
    expect(a).toEqual(b);
    expect(a).toStrictEqual(b);
  } else {
    notDeepStrictEqual(a, b);
    expect(a).not.toEqual(b);
    expect(a).not.toStrictEqual(b);
  }
}

describe('equality of busy sets', () => {
  it('equal ids are equal, and other ids are not: in one run and in two, whenever they are read first', () => {
    fc.assert(
      fc.property(anyFlips, anyFlips, (one, other) => {
        const fleet = newLog();
        const sets = [...grow(fleet, one), ...grow(newLog(), other)].reverse();
        for (const a of sets)
          for (const b of sets) expectEquality(a.version, b.version, a.members.join() === b.members.join());
      }),
      { numRuns: 30 },
    );
  });

  it('equal versions of two runs say nothing', () => {
    const [one] = grow(newLog(), [[7]]);
    const [other, back] = grow(newLog(), [[8], [8, 7]]);
    if (one === undefined || other === undefined || back === undefined) throw new Error('no set');
    expect(one.version.version).toBe(other.version.version);
    expectEquality(one.version, other.version, false);
    expectEquality(one.version, back.version, true);
  });

  it('in one run, neighbouring versions are told apart without reading their ids', () => {
    const members = Array.from({ length: 3 }, (_, index) => index);
    const { log, slots } = newLog();
    const read = { count: 0 };
    const idOf = slots.id.bind(slots);
    const sets = grow({ log, slots }, [members, [0, 3]]).map(({ version }) => version);
    slots.id = (slot) => {
      read.count += 1;
      return idOf(slot);
    };
    const [before, after] = sets as [BusySet, BusySet];
    expect(before.size).toBe(after.size);
    expect(isSameBusySet(before, after)).toBe(false);
    expect(isSameBusySet(after, snapshotOf(after))).toBe(true);
    expect(read.count).toBe(0);
  });

  it('a busy set has no other enumerable property than its ids, and its ids cannot be changed', () => {
    const [one] = grow(newLog(), [[7, 10]]);
    expect({ ...one?.version }).toEqual({ ids: ['7', '10'] });
    expect(Object.isFrozen(one?.version.ids)).toBe(true);
    expect(one?.version.toSet()).toEqual(new Set(['7', '10']));
  });
});

describe('forms of a busy set', () => {
  it('JSON - the ids, also of an older version', () => {
    fc.assert(
      fc.property(anyFlips, (flips) => {
        for (const { version, members } of grow(newLog(), flips))
          expect(JSON.stringify({ busy: version })).toBe(JSON.stringify({ busy: members }));
      }),
    );
  });

  it('console.log - the ids, with the number of them', () => {
    const sets = grow(newLog(), [
      [8, 7],
      [8, 7],
    ]).map(({ version }) => version);
    expect(sets.map((busy) => inspect(busy))).toEqual(["BusySet(2) { '7', '8' }", 'BusySet(0) {}']);
    expect(inspect({ busy: sets[0] })).toBe("{ busy: BusySet(2) { '7', '8' } }");
  });
});

describe('snapshotOf', () => {
  it('is the same set, with all ids as added, at any version and whenever it is read', () => {
    fc.assert(
      fc.property(anyFlips, (flips) => {
        const sets = grow(newLog(), flips);
        const snapshots = sets.map(({ version }) => snapshotOf(version));
        for (const [index, { version, members }] of sets.entries()) {
          const snapshot = snapshots[index] as BusySet;
          expect([snapshot.added, snapshot.removed]).toEqual([members, []]);
          expect([snapshot.isSnapshot, version.isSnapshot]).toEqual([true, version.version === 0]);
          expect([snapshot.version, snapshot.size]).toEqual([version.version, members.length]);
          expect([...snapshot]).toEqual(members);
          for (let worker = 0; worker <= 5; worker += 1)
            expect(snapshot.has(id(worker))).toBe(members.includes(id(worker)));
          expectEquality(snapshot, version, true);
        }
      }),
    );
  });

  it('a receiver that forwards differences has all workers, then follows', () => {
    fc.assert(
      fc.property(anyFlips, fc.nat(), (flips, from) => {
        const sets = grow(newLog(), flips);
        const first = from % Math.max(sets.length, 1);
        const forwarded = new Set<WorkerId>();
        for (const [index, { version, members }] of sets.entries()) {
          if (index < first || (index > first && version === sets[index - 1]?.version)) continue;
          const { added, removed } = index === first ? snapshotOf(version) : version;
          for (const worker of added) forwarded.add(worker);
          for (const worker of removed) forwarded.delete(worker);
          expect([...forwarded].sort(compareWorkerIds)).toEqual(members);
        }
      }),
    );
  });

  it('the initial set and a snapshot are snapshots already', () => {
    const { log } = newLog();
    const [one] = grow(newLog(), [[7]]);
    if (one === undefined) throw new Error('no set');
    expect(log.newest.isSnapshot).toBe(true);
    expect(snapshotOf(log.newest)).toBe(log.newest);
    const snapshot = snapshotOf(one.version);
    expect(snapshotOf(snapshot)).toBe(snapshot);
    expect(snapshot.toSet()).toBe(one.version.toSet());
  });
});
