import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordedInput } from '../../../src/wire/recording/recording.js';
import { policies } from '../../../src/core/policy/policies.js';
import { rankStatesOf } from '../../../src/testing/model/state.js';
import { anyEvent, endEvent } from '../../support/any-event.js';
import { busyAfterEach, id, load, play } from '../../support/fleet.js';

const newest = policies['dynamo-1.6'];
const K100: RecordedInput = {
  kind: 'configs',
  workers: new Map([[id(7), { totalKvBlocks: 100, maxNumBatchedTokens: 1000 }]]),
};
const started = { decodeInstances: [id(7)], thresholds: { activeDecodeBlocksThreshold: 0.6 } };

/** Whether worker 7 is busy after each load, under 1.6 with a card of 100 blocks. */
const busy = (...loads: Parameters<typeof load>[0][]): boolean[] =>
  busyAfterEach([K100, ...loads.map((values) => load(values))], started, newest)
    .slice(1)
    .map((ids) => ids.length === 1);

// The reference page on wire facts, §13.2, and on 1.6.1, §1.5.
describe('model - upstream cases of the latch', () => {
  it('used and active both count', () => {
    expect(busy({ activeDecodeBlocks: 10, kvUsedBlocks: 90 })).toEqual([true]);
    expect(busy({ activeDecodeBlocks: 90 })).toEqual([true]);
    expect(busy({ kvUsedBlocks: 90 })).toEqual([true]);
  });

  it('the latch needs both signals back', () => {
    expect(busy({ kvUsedBlocks: 90 }, { activeDecodeBlocks: 10 }, { kvUsedBlocks: 10 })).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('one signal alone releases what it alone closed', () => {
    expect(busy({ kvUsedBlocks: 90 }, { kvUsedBlocks: 10 })).toEqual([true, false]);
    expect(busy({ activeDecodeBlocks: 90 }, { activeDecodeBlocks: 10 })).toEqual([true, false]);
    expect(busy({ activeDecodeBlocks: 90 }, { activeDecodeBlocks: 10, kvUsedBlocks: 10 })).toEqual([
      true,
      false,
    ]);
  });

  it('range and capacity - reconciled to another range, the old one is forgotten', () => {
    const card = (start: number, size: number, known: boolean): RecordedInput => ({
      kind: 'config',
      workerId: id(7),
      config: {
        ...(known && { totalKvBlocks: 100, maxNumBatchedTokens: 1000 }),
        dataParallelStartRank: start,
        dataParallelSize: size,
      },
    });
    const full = { activeDecodeBlocks: 90, activePrefillTokens: 900, kvUsedBlocks: 90 };
    const steps = play(
      [
        card(2, 2, true),
        load({ dpRank: 2, ...full }),
        load({ dpRank: 3, ...full }),
        card(3, 1, false),
        load({ dpRank: 2, activeDecodeBlocks: 100 }),
        card(4, 1, true),
      ],
      { decodeInstances: [id(7)], thresholds: { activeDecodeBlocksThreshold: 0.6 } },
      newest,
    );
    expect(steps.map(({ state }) => state.busy.size)).toEqual([0, 0, 1, 0, 0, 0]);
    expect(steps[4]?.problems.map((problem) => problem.code)).toEqual(['undeclared-rank']);
    const worker = steps[5]?.state.workers.get(id(7));
    expect(worker?.declared).toEqual({ start: 4, end: 5 });
    expect(worker && rankStatesOf(worker).ranks.size).toBe(0);
  });

  it('the last writer wins, and an absent value keeps the old one', () => {
    const scheduler: RecordedInput = {
      kind: 'schedulerLoads',
      loads: [{ workerId: id(7), dpRank: 0, activeDecodeBlocks: 20, activePrefillTokens: 200 }],
    };
    const remote = load({ activeDecodeBlocks: 10, activePrefillTokens: 100 });
    const tokens = (events: RecordedInput[]): unknown =>
      play(events, started, newest).at(-1)?.state.workers.get(id(7))?.ranks.get(0)?.activePrefillTokens;
    expect([tokens([scheduler, remote]), tokens([remote, scheduler])]).toEqual([100, 200]);
    expect(tokens([load({ activePrefillTokens: 123 }), load({ kvUsedBlocks: 8 })])).toBe(123);
    expect(tokens([load({ activePrefillTokens: 123 }), load({ activePrefillTokens: 0 })])).toBe(0);
  });
});

describe('model - transitions have a reason', () => {
  const startOptions = { thresholds: { activePrefillTokensThreshold: 10 } };
  it('a transition - with value, limit, ranks and time', () => {
    const [up, same, down] = play(
      [
        load({ activePrefillTokens: 11 }),
        load({ activePrefillTokens: 12 }),
        load({ activePrefillTokens: 10 }),
      ],
      startOptions,
    );
    expect(up?.transitions).toMatchObject([
      {
        workerId: '7',
        busy: true,
        at: 0,
        verdict: { reason: 'load', judgedRanks: 1, busyRanks: 1, since: 0 },
      },
    ]);
    expect(up?.transitions[0]?.verdict.text).toBe(
      'worker 7 is busy: rank 0 prefill tokens 11 > 10 (1 of 1 ranks busy, 1 needed)',
    );
    expect(same?.transitions).toEqual([]);
    expect(same?.state.busy.get(id(7))).toBe(0);
    expect(down?.transitions[0]?.verdict.text).toBe(
      'worker 7 is free: rank 0 prefill tokens 10 ≤ 10 (0 of 1 ranks busy, 1 needed)',
    );
  });

  it('an overload mark, its end, and leaving - each has its own reason', () => {
    const reasons = play(
      [
        { kind: 'marked', workerId: id(7) },
        { kind: 'markExpired', workerId: id(7) },
        load({ activePrefillTokens: 11 }),
        { kind: 'instance', workerId: id(7), present: false },
      ],
      { ...startOptions, decodeInstances: [id(7)] },
    ).flatMap(({ transitions }) => transitions.map(({ verdict }) => [verdict.reason, verdict.text]));
    expect(reasons).toEqual([
      ['overload-mark', 'worker 7 is busy: it has an overload mark'],
      ['overload-mark-ended', 'worker 7 is unknown: its overload mark ended; no rank has reported a load'],
      ['load', 'worker 7 is busy: rank 0 prefill tokens 11 > 10 (1 of 1 ranks busy, 1 needed)'],
      ['left', 'worker 7 is unknown: it left the fleet'],
    ]);
  });

  it('the latch - is named when nothing else holds the worker', () => {
    const steps = play(
      [
        K100,
        load({ kvUsedBlocks: 90, activePrefillTokens: 501 }),
        load({ activeDecodeBlocks: 1 }),
        load({ kvUsedBlocks: 2 }),
      ],
      started,
      newest,
    );
    expect(steps[3]?.transitions[0]?.verdict.text).toContain('≤ 60');
  });
});

describe('model - loads of unknown workers', () => {
  it('held ones are bounded: the oldest is discarded with a problem', () => {
    const policy = {
      ...policies.default,
      unknownWorkers: { loads: 'held', known: 'config', maximumWorkers: 3 },
    } as const;
    const steps = play(
      [1, 2, 3, 4].map((worker) => load({ workerId: id(worker) })),
      { configs: true },
      policy,
    );
    expect([...(steps[3]?.state.workers.keys() ?? [])]).toEqual(['2', '3', '4']);
    expect(steps[3]?.problems).toMatchObject([{ code: 'held-worker-dropped', workerId: '1', count: 1 }]);
  });

  it('ignored ones are a problem', () => {
    expect(play([load()], { decodeInstances: [] }, newest)[0]?.problems).toMatchObject([
      { code: 'unknown-worker', workerId: '7' },
    ]);
  });

  it('another topic is ignored with a problem', () => {
    expect(play([load({ topic: 'kv-metrics', activePrefillTokens: 99 })])[0]).toMatchObject({
      problems: [{ code: 'foreign-topic' }],
      transitions: [],
    });
  });
});

const everyEvent = fc.oneof({ weight: 14, arbitrary: anyEvent({ workers: 4, maxRanks: 3 }) }, endEvent);

describe('model - total reducer', () => {
  it.each(Object.values(policies))('any event in any order leaves a valid state under $name', (policy) => {
    fc.assert(
      fc.property(fc.array(everyEvent, { maxLength: 30 }), fc.boolean(), (events, cards) => {
        let busy = new Set<string>();
        for (const result of play(events, { decodeInstances: [id(1)], ...(cards && { cards }) }, policy)) {
          for (const { workerId, from, to, busy: is } of result.transitions) {
            expect(from).not.toBe(to);
            expect([busy.has(workerId), is]).toEqual([from === 'busy', to === 'busy']);
            if (is) busy.add(workerId);
            else busy.delete(workerId);
          }
          expect(new Set(result.state.busy.keys())).toEqual(busy);
          const series = result.cleanups.map(({ workerId, workerType }) => `${workerId} ${workerType}`);
          expect(new Set(series).size).toBe(series.length);
          for (const { dpRanks } of result.cleanups) expect(dpRanks.length).toBeGreaterThan(0);
          for (const { dpRanks } of result.cleanups) expect(dpRanks.length).toBeLessThan(3 * 4096);
          busy = new Set(result.state.busy.keys());
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never changes a state that it was given', () => {
    const [first] = play([load({ activePrefillTokens: 11 })], {
      thresholds: { activePrefillTokensThreshold: 10 },
    });
    const before = JSON.stringify(
      [...(first?.state.workers ?? [])].map(([key, one]) => [key, [...one.ranks]]),
    );
    play([load({ activePrefillTokens: 12 })], {});
    expect(JSON.stringify([...(first?.state.workers ?? [])].map(([key, one]) => [key, [...one.ranks]]))).toBe(
      before,
    );
  });
});
