import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policies } from '../../src/core/policy/policies.js';
import type { WorkerId } from '../../src/core/worker-id.js';
import { FleetPlanError } from '../../src/simulator/fleet-plan.js';
import { type RouterPlan, SimulatedRouter } from '../../src/simulator/simulated-router.js';
import { LoadDecoder } from '../../src/wire/loads/load-decoder.js';

const plan: RouterPlan = {
  seed: 5,
  workers: 6,
  ranks: 1,
  durationMs: 60_000,
  startedAt: 0,
  policy: policies['dynamo-1.6'],
};
const THRESHOLD = 850;

/** The loads of a run, whose router avoids the workers that are above the threshold, or no worker. */
function run(options: Partial<RouterPlan>, obeys: boolean) {
  const decoder = new LoadDecoder(plan.policy);
  const busy = new Set<WorkerId>();
  const loads: { at: number; workerId: WorkerId; blocks: number; tokens: number; wasBusy: boolean }[] = [];
  const router = new SimulatedRouter({ ...plan, ...options }, (id) => obeys && busy.has(id));
  for (const event of router) {
    if (!('payload' in event)) continue;
    const decoded = decoder.decode(event.payload);
    if (!('load' in decoded)) throw new Error('a load cannot be decoded');
    const { workerId, kvUsedBlocks, activePrefillTokens } = decoded.load;
    const [blocks, tokens] = [Number(kvUsedBlocks), Number(activePrefillTokens)];
    loads.push({ at: event.at, workerId, blocks, tokens, wasBusy: busy.has(workerId) });
    if (blocks > THRESHOLD) busy.add(workerId);
    else busy.delete(workerId);
  }
  return { loads, counts: router.counts };
}

describe('simulated router', () => {
  it('the same seed and the same busy sets give the same bytes, in virtual time', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.boolean(), fc.nat(3), (seed, obeys, prefillWorkers) => {
        const options = { seed, prefillWorkers, durationMs: 5_000 };
        expect(run(options, obeys)).toEqual(run(options, obeys));
      }),
      { numRuns: 20 },
    );
    const bytes = (seed: number) => [
      ...new SimulatedRouter({ ...plan, seed, durationMs: 5_000 }, () => false),
    ];
    expect(bytes(1)).toEqual(bytes(1));
    expect(bytes(1)).not.toEqual(bytes(2));
  });

  it('a busy worker gets no new requests: its load never rises until it is free', () => {
    const { loads } = run({}, true);
    const before = new Map<WorkerId, number>();
    let busyLoads = 0;
    for (const { workerId, blocks, wasBusy } of loads) {
      if (wasBusy) {
        busyLoads += 1;
        expect(blocks).toBeLessThanOrEqual(before.get(workerId) ?? 0);
      }
      before.set(workerId, blocks);
    }
    expect(busyLoads).toBeGreaterThan(20);
  });

  it('busy sets change the load: without them workers go far above the threshold, with them they drain', () => {
    /** The average number of blocks above the threshold, over several fleets. */
    const excess = (obeys: boolean): number => {
      const loads = [1, 2, 3, 4, 5, 6].flatMap((seed) => run({ seed }, obeys).loads);
      return loads.reduce((sum, { blocks }) => sum + Math.max(0, blocks - THRESHOLD), 0) / loads.length;
    };
    expect(excess(false)).toBeGreaterThan(25);
    expect(excess(true)).toBeLessThan(excess(false) / 2);
  });

  it('requests depend only on the seed, and those that find no free worker are rejected', () => {
    const [free, obeyed] = [run({ demand: 2 }, false).counts, run({ demand: 2 }, true).counts];
    expect(obeyed.rejected).toBeGreaterThan(100);
    expect(obeyed.routed + obeyed.rejected).toBe(free.routed);
  });

  it('a full rank reports no more blocks than it has', () => {
    const { loads } = run({ demand: 3 }, false);
    expect(Math.max(...loads.map(({ blocks }) => blocks))).toBe(1000);
  });

  it('prefill workers get the prefill tokens, and the others the KV blocks', () => {
    const { loads } = run({ prefillWorkers: 2, ranks: 2 }, false);
    const sums = new Map<WorkerId, { blocks: number; tokens: number }>();
    for (const { workerId, blocks, tokens } of loads) {
      const sum = sums.get(workerId) ?? { blocks: 0, tokens: 0 };
      sums.set(workerId, { blocks: sum.blocks + blocks, tokens: sum.tokens + tokens });
    }
    const all = [...sums.values()];
    expect(all.filter(({ blocks, tokens }) => blocks === 0 && tokens > 0)).toHaveLength(2);
    expect(all.filter(({ blocks, tokens }) => blocks > 0 && tokens === 0)).toHaveLength(6);
  });

  it('requests of a worker that leaves are lost', () => {
    expect(run({ workers: 20 }, false).counts.lost).toBeGreaterThan(10);
  });

  it.each([0, -1, NaN, 11])('a demand of %d is refused', (demand) => {
    expect(() => new SimulatedRouter({ ...plan, demand }, () => false)).toThrow(FleetPlanError);
  });
});
