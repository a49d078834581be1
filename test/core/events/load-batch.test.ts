import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WorkerTable } from '../../../src/core/events/load-batch.js';

const halves = (id: bigint): [number, number] => [Number(id >> 32n), Number(id & 0xffff_ffffn)];

describe('worker table', () => {
  it('the same id has the same index, other ids have others, also after growing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.bigInt(0n, 40n), fc.bigInt(0n, 2n ** 64n - 1n)), { maxLength: 400 }),
        (ids) => {
          const table = new WorkerTable();
          const indices = new Map(ids.map((id) => [id, table.intern(...halves(id))]));
          for (const [id, index] of indices) {
            expect(table.intern(...halves(id))).toBe(index);
            expect(table.id(index)).toBe(String(id));
          }
          expect(table.size).toBe(indices.size);
        },
      ),
    );
  });

  it('clearing removes all workers and changes the version', () => {
    const table = new WorkerTable();
    table.intern(0, 5);
    table.clear();
    expect([table.size, table.version, table.intern(0, 9), table.id(0)]).toEqual([0, 1, 0, '9']);
  });
});
