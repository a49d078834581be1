import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BusyLog, type BusySet } from '../../../src/core/state/busy-set.js';
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
  const slots = new WorkerSlots();
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
