import { NEVER, Subject, VirtualTimeScheduler, concat, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { RuntimeConfig } from '../../../src/core/events/fleet-event.js';
import { loadMonitor, type LoadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import type { LoadThresholdUpdate } from '../../../src/core/policy/load-thresholds.js';
import { policies } from '../../../src/core/policy/policies.js';
import type { Problem } from '../../../src/core/sources/problem.js';
import type { RecordedInput } from '../../../src/wire/recording/recording.js';
import { fleetEvents as fleet } from '../../../src/testing/fakes/fleet-events.js';
import { id } from '../../support/fleet.js';
import { FleetLoad } from '../../../src/core/state/fleet-load.js';
import { fleetEventsOf } from '../../support/fleet-events.js';

const decode: LoadThresholdUpdate = { activeDecodeBlocksThreshold: 0.8 };

/** A connected monitor of workers with configs, after loads. */
function monitorOf(
  configs: Readonly<Record<number, RuntimeConfig>>,
  loads: readonly ReturnType<typeof fleet.load>[],
  thresholds: LoadThresholdUpdate = decode,
): { monitor: LoadMonitor; problems: Problem[]; clock: VirtualTimeScheduler } {
  const clock = new VirtualTimeScheduler();
  const workers = new Map(Object.entries(configs).map(([worker, config]) => [id(worker), config]));
  const monitor = loadMonitor(
    { configs: concat(of(workers), NEVER), loads: concat(of(...loads), NEVER) },
    { thresholds, scheduler: clock },
  );
  const problems: Problem[] = [];
  monitor.problems$.subscribe((problem) => problems.push(problem));
  monitor.connect();
  return { monitor, problems, clock };
}

describe('a worker that cannot be judged', () => {
  it.each([
    ['no-threshold', { totalKvBlocks: 100 }, [fleet.load(7, { kvUsedBlocks: 10 })], {}],
    ['not-heard', { totalKvBlocks: 100 }, [], decode],
    ['not-heard', { totalKvBlocks: 100, dataParallelSize: 2 }, [fleet.load(7, { kvUsedBlocks: 90 })], decode],
    ['no-capacity', { totalKvBlocks: 0 }, [fleet.load(7, { kvUsedBlocks: 10 })], decode],
    ['no-capacity', {}, [fleet.load(7, { activeDecodeBlocks: 10 })], decode],
    ['no-signal', { totalKvBlocks: 100 }, [fleet.load(7, { activePrefillTokens: 10 })], decode],
  ] as const)('says why: %s (%j)', (reason, config, loads, thresholds) => {
    const { monitor } = monitorOf({ 7: config }, loads, thresholds);
    expect(monitor.stateOf(id(7))).toBe('unknown');
    expect(monitor.explain(id(7))).toMatchObject({ state: 'unknown', unknownReason: reason, since: null });
    expect(monitor.explain(id(7))?.text).toMatch(/^worker 7 is unknown: /);
    monitor.stop();
  });

  it('without a config is not known, and its loads are held', () => {
    const { monitor } = monitorOf({}, [fleet.load(7, { kvUsedBlocks: 90 })]);
    expect(monitor.explain(id(7))).toMatchObject({ state: 'unknown', unknownReason: 'not-known' });
    expect(monitor.snapshot()?.fleet).toMatchObject({ workers: 1, unknown: 1, held: 1 });
    monitor.stop();
  });

  it('is routable, and so is a worker of which nothing is known; a busy one is not', () => {
    const { monitor } = monitorOf({ 7: { totalKvBlocks: 100 }, 8: { totalKvBlocks: 100 } }, [
      fleet.load(8, { kvUsedBlocks: 90 }),
    ]);
    const ids = [9, 8, 7].map(id);
    expect(ids.map((worker) => monitor.stateOf(worker))).toEqual([undefined, 'busy', 'unknown']);
    expect(monitor.routable(new Set(ids))).toEqual([id(9), id(7)]);
    monitor.stop();
    expect(monitor.routable(ids)).toEqual(ids);
    expect(monitor.stateOf(id(8))).toBeUndefined();
  });

  it('is reported with the number of such workers and one of them, not before ten seconds', () => {
    const { monitor, problems, clock } = monitorOf({ 7: {}, 8: {}, 9: {} }, [
      fleet.load(9, { kvUsedBlocks: 90 }),
    ]);
    clock.maxFrames = 9_999;
    clock.flush();
    expect(problems).toEqual([]);
    clock.maxFrames = 10_000;
    clock.flush();
    expect(problems).toMatchObject([
      { code: 'worker-not-heard', workerId: '7', count: 2 },
      { code: 'no-capacity', workerId: '9', count: 1 },
    ]);
    expect(problems.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^2 workers are unknown, such as 7: no load has arrived /),
      expect.stringMatching(/^worker 9 is unknown: without total KV blocks in the config, or with 0, /),
    ]);
    monitor.stop();
  });

  it('is not reported by a monitor that stopped before', () => {
    const { monitor, problems, clock } = monitorOf({ 7: {} }, []);
    monitor.stop();
    clock.flush();
    expect(problems).toEqual([]);
    expect(clock.actions).toEqual([]);
  });

  it('does not keep a monitor running whose sources have completed', () => {
    const configs$ = new Subject<ReadonlyMap<ReturnType<typeof id>, RuntimeConfig>>();
    const monitor = loadMonitor({ configs: configs$ }, { scheduler: new VirtualTimeScheduler() });
    let completed = false;
    monitor.fleet$.subscribe({ complete: () => (completed = true) });
    monitor.connect();
    configs$.next(new Map([[id(7), {}]]));
    configs$.complete();
    expect(completed).toBe(true);
  });
});

describe('a threshold whose signal never arrives', () => {
  const textsOf = (
    policy: keyof typeof policies,
    thresholds: LoadThresholdUpdate,
    load: RecordedInput,
  ): string[] => {
    const pool = new FleetLoad(policies[policy], { thresholds, decodeInstances: [id(7)] });
    const loads = Array.from({ length: 12 }, () => load);
    return fleetEventsOf(loads, { decodeInstances: [id(7)] }).flatMap((event, index) =>
      (pool.apply(event, index)?.problems ?? [])
        .filter(({ code }) => code === 'signal-missing')
        .map(({ text }) => `${index}: ${text}`),
    );
  };

  it('is reported with the tenth load, with the signals that do arrive and the policy that fits', () => {
    const texts = textsOf('dynamo-1.0', {}, fleet.load(7, { kvUsedBlocks: 5, activePrefillTokens: 1 }));
    expect(texts).toEqual([
      '9: activeDecodeBlocksThreshold has no effect: no load has activeDecodeBlocks, which policy dynamo-1.0 compares; the ' +
        'loads have kvUsedBlocks and activePrefillTokens; use the policy default or dynamo-1.6, which compares it',
    ]);
  });

  it.each(Object.keys(policies) as (keyof typeof policies)[])(
    'says under %s that this fleet does not publish it',
    (policy) => {
      const thresholds = { activeDecodeBlocksThreshold: 0.5, activePrefillTokensThreshold: 5 };
      const [text] = textsOf(policy, thresholds, fleet.load(7, { activePrefillTokens: 1 }));
      expect(text).toMatch(
        /^9: activeDecodeBlocksThreshold has no effect: .* this fleet does not publish it/,
      );
    },
  );
});
