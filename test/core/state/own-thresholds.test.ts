import { describe, expect, it } from 'vitest';
import type { ThresholdsChanged } from '../../../src/core/events/fleet-event.js';
import type { LoadPolicy } from '../../../src/core/policy/load-policy.js';
import type { LoadThresholdUpdate } from '../../../src/core/policy/load-thresholds.js';
import { policies } from '../../../src/core/policy/policies.js';
import { FleetLoad } from '../../../src/core/state/fleet-load.js';
import { MAX_WORKERS_WITH_THRESHOLDS } from '../../../src/core/state/own-thresholds.js';
import { id, load } from '../../support/fleet.js';
import { firstStep, step } from '../../../src/testing/model/model.js';

const own = (change: LoadThresholdUpdate, worker: number | string = 7): ThresholdsChanged => ({
  kind: 'thresholds',
  target: { workerId: id(worker) },
  ...change,
});
const config = { totalKvBlocks: 100, maxNumBatchedTokens: 100 };

/** A fleet in which workers 7 and 8 have 60 of 100 blocks and 60 tokens. */
function twoWorkers(thresholds: LoadThresholdUpdate, policy: LoadPolicy = policies.default): FleetLoad {
  const fleet = new FleetLoad(policy, { thresholds });
  for (const worker of [7, 8]) {
    const workerId = id(worker);
    fleet.apply({ kind: 'config', workerId, config }, 0);
    fleet.apply(load({ workerId, activeDecodeBlocks: 60, activePrefillTokens: 60 }), 0);
  }
  return fleet;
}

describe('thresholds of one worker', () => {
  it.each<[name: keyof LoadThresholdUpdate, above: number, below: number]>([
    ['activeDecodeBlocksThreshold', 0.5, 0.7],
    ['activePrefillTokensThreshold', 50, 70],
    ['activePrefillTokensThresholdFrac', 0.5, 0.7],
  ])('%s of one worker counts instead of that of the pool', (name, above, below) => {
    const fleet = twoWorkers({ [name]: above });
    const stateOf = (): unknown[] => [fleet.stateOf(id(7)), fleet.stateOf(id(8))];
    expect(stateOf()).toEqual(['busy', 'busy']);
    fleet.apply(own({ [name]: below }), 1);
    expect(stateOf()).toEqual(['free', 'busy']);
    fleet.apply(own({ [name]: null }), 2);
    // The check of worker 7 is off.
    expect(stateOf()).toEqual(['unknown', 'busy']);
    fleet.apply({ kind: 'thresholds', [name]: below }, 3);
    expect(stateOf()).toEqual(['unknown', 'free']);
    fleet.apply(own({ [name]: above }), 4);
    expect(stateOf()).toEqual(['busy', 'free']);
    fleet.apply(own({}), 5);
    expect(stateOf()).toEqual(['free', 'free']);
  });

  it('a worker has those of the pool for the thresholds that are not its own, also later ones', () => {
    const fleet = twoWorkers({ activePrefillTokensThreshold: 50 });
    fleet.apply(own({ activeDecodeBlocksThreshold: 0.7 }), 1);
    expect(fleet.stateOf(id(7))).toBe('busy');
    fleet.apply({ kind: 'thresholds', activePrefillTokensThreshold: 70 }, 2);
    expect(fleet.stateOf(id(7))).toBe('free');
    // A change replaces all thresholds of its own.
    fleet.apply({ kind: 'thresholds', activeDecodeBlocksThreshold: 0.5 }, 3);
    fleet.apply(own({ activePrefillTokensThreshold: 80 }), 4);
    expect(fleet.stateOf(id(7))).toBe('busy');
  });

  it('verdict, explanation and ranks are made with them', () => {
    const fleet = twoWorkers({ activePrefillTokensThreshold: 70 });
    const made = fleet.apply(own({ activePrefillTokensThreshold: 50 }), 1);
    fleet.apply(own({ activePrefillTokensThreshold: 55 }), 2);
    expect(made?.transitions.map(({ verdict }) => verdict.text)).toEqual([
      'worker 7 is busy: rank 0 prefill tokens 60 > 50 (1 of 1 ranks busy, 1 needed)',
    ]);
    expect(fleet.explain(id(7))?.text).toBe(
      'worker 7 is busy since 1 ms: 1 of 1 ranks busy, 1 needed\n' +
        'it has thresholds of its own\n' +
        'rank 0 activePrefillTokens: 60 above 55, margin -5\n' +
        'rank 0 activePrefillTokensFrac: no threshold set, value 60\n' +
        'rank 0 kvUsedBlocks: no threshold set\n' +
        'rank 0 activeDecodeBlocks: no threshold set, value 60',
    );
    expect(fleet.explain(id(8))?.text).not.toContain('of its own');
    const ranks = fleet.ranks();
    fleet.apply(own({}), 3);
    const thresholds = Array.from({ length: ranks.end }, (_, worker) => [
      ranks.workerId(worker),
      ranks.workerThresholds(worker).activePrefillTokensThreshold,
    ]);
    expect(thresholds).toEqual([
      ['7', 55],
      ['8', 70],
    ]);
    expect(fleet.ranks().workerThresholds(0)).toBe(fleet.thresholds);
  });

  it('the reason why a worker is unknown is found with them', () => {
    const fleet = twoWorkers({ activePrefillTokensThreshold: 70 });
    fleet.apply(own({ activePrefillTokensThreshold: null }), 1);
    expect([...fleet.ranks().unknown]).toEqual([['no-threshold', { count: 1, workerId: '7' }]]);
  });

  it.each<LoadPolicy>(Object.values(policies))('outlive the worker under $name', (policy) => {
    const workerId = id(7);
    const fleet = new FleetLoad(policy, {
      thresholds: { activePrefillTokensThreshold: 50, activeDecodeBlocksThreshold: null },
      decodeInstances: [],
      configs: true,
    });
    const join = (at: number): void => {
      fleet.apply({ kind: 'instance', workerId, present: true }, at);
      fleet.apply({ kind: 'config', workerId, config }, at);
      fleet.apply(load({ activePrefillTokens: 60 }), at);
    };
    fleet.apply(own({ activePrefillTokensThreshold: 70, activePrefillTokensThresholdFrac: 70 }), 0);
    join(1);
    expect([...fleet.busy]).toEqual([]);
    fleet.apply({ kind: 'instance', workerId, present: false }, 2);
    fleet.apply({ kind: 'config', workerId, config: null }, 2);
    join(3);
    expect([...fleet.busy]).toEqual([]);
    fleet.apply(own({}), 4);
    fleet.apply(load({ activePrefillTokens: 61 }), 5);
    expect([...fleet.busy]).toEqual(['7']);
  });

  it.each<[policy: keyof typeof policies, nullTurnsOff: boolean, state: string]>([
    ['default', false, 'free'],
    ['dynamo-1.0', false, 'busy'],
    ['dynamo-1.0', true, 'free'],
  ])('under %s, null with nullTurnsOff %s makes a worker %s', (name, nullTurnsOff, state) => {
    const policy: LoadPolicy = { ...policies[name], withoutEvidence: 'free' };
    const fleet = twoWorkers({ activePrefillTokensThreshold: 50 }, policy);
    fleet.apply({ ...own({ activePrefillTokensThreshold: null }), nullTurnsOff }, 1);
    fleet.apply(load({ activePrefillTokens: 61 }), 2);
    expect(fleet.stateOf(id(7))).toBe(state);
  });

  it('a change that the policy refuses is a problem, and nothing changes', () => {
    const fleet = twoWorkers({ activePrefillTokensThreshold: 50 });
    const made = fleet.apply({ ...own({ activePrefillTokensThreshold: -1 }), checked: true }, 1);
    expect(made?.problems.map(({ code }) => code)).toEqual(['threshold-out-of-range']);
    expect(fleet.explain(id(7))?.text).not.toContain('of its own');
  });

  it('a threshold of one worker whose signal is missing is a problem, before and after ten loads', () => {
    for (const early of [true, false]) {
      const fleet = new FleetLoad(policies.default, { thresholds: { activePrefillTokensThreshold: 10 } });
      const codes: string[] = [];
      const apply = (event: Parameters<FleetLoad['apply']>[0]): void => {
        codes.push(...(fleet.apply(event, 0)?.problems.map(({ code }) => code) ?? []));
      };
      if (early) apply(own({ activeDecodeBlocksThreshold: 0.5 }));
      for (let n = 0; n < 10; n += 1) apply(load({ activePrefillTokens: 1 }));
      apply(own({ activeDecodeBlocksThreshold: 0.6 }));
      expect(codes).toEqual(['signal-missing']);
    }
  });

  it('at most 10 000 workers have some, in the fast state and in the model', () => {
    const fleet = new FleetLoad(policies.default);
    let { state } = firstStep(policies.default);
    const full = new Map(
      Array.from({ length: MAX_WORKERS_WITH_THRESHOLDS }, (_, n) => [
        id(n),
        { activePrefillTokensThreshold: 1 },
      ]),
    );
    for (const [workerId, change] of full) fleet.apply(own(change, workerId), 0);
    state = { ...state, ownThresholds: full };
    const codes = (event: ThresholdsChanged): unknown => {
      const meant = step(state, event, 1);
      ({ state } = meant);
      const problems = fleet.apply(event, 1)?.problems ?? [];
      expect(problems).toEqual(meant.problems);
      return problems.map(({ code, workerId }) => [code, workerId]);
    };
    expect(codes(own({ activePrefillTokensThreshold: 1 }, 10_000))).toEqual([
      ['too-many-thresholds', '10000'],
    ]);
    expect(codes(own({ activePrefillTokensThreshold: 2 }, 9_999))).toEqual([]);
    expect(codes(own({}, 9_999))).toEqual([]);
    expect(codes(own({ activePrefillTokensThreshold: 1 }, 10_000))).toEqual([]);
  });

  it('limit classes are used again, so that changes do not add to them', () => {
    const fleet = twoWorkers({ activePrefillTokensThreshold: 50 });
    const { store } = fleet as unknown as { store: { classes: { totals: unknown[] } } };
    const round = (n: number): void => {
      for (const worker of [7, 8]) fleet.apply(own({ activePrefillTokensThreshold: n }, worker), n);
      for (const worker of [8, 7]) fleet.apply(own({}, worker), n);
    };
    round(1);
    const before = store.classes.totals.length;
    for (let n = 2; n < 100; n += 1) round(n);
    expect(store.classes.totals.length).toBe(before);
    expect(fleet.stateOf(id(7))).toBe('busy');
  });
});
