import { setImmediate as turn } from 'node:timers/promises';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { simulatedPools } from '../../../src/cli/demo/demo-command.js';
import { paced } from '../../../src/fleet/live-simulator/paced.js';
import { LoadThresholdConfig } from '../../../src/core/policy/load-threshold-config.js';
import { policies } from '../../../src/core/policy/policies.js';
import { forEachPool } from '../../../src/fleet/pools/pools.js';
import type { Transition } from '../../../src/core/state/fleet-step.js';
import { simulateFleet } from '../../../src/simulator/simulate-fleet.js';
import { jsonLines, runCli } from '../../support/run-cli.js';

const DURATION_MS = 60_000;

/** The outputs of the demo's pool over a minute of virtual time. */
async function runDemo(policy: (typeof policies)[keyof typeof policies]): Promise<{
  transitions: Transition[];
  sets: string[];
}> {
  const scheduler = new VirtualTimeScheduler();
  const events = simulateFleet({
    seed: 1,
    workers: 6,
    ranks: 2,
    durationMs: DURATION_MS,
    startedAt: 0,
    policy,
  });
  const thresholds = LoadThresholdConfig.defaults(policy).update({ activeDecodeBlocksThreshold: 0.85 });
  const pools = simulatedPools(paced(events, scheduler), { policy, thresholds, scheduler });
  const transitions: Transition[] = [];
  const sets: string[] = [];
  const running = forEachPool(pools, ({ monitor }) => monitor.transitions$).subscribe((transition) =>
    transitions.push(transition),
  );
  running.add(
    forEachPool(pools, ({ monitor }) => monitor.busy$).subscribe((busy) => sets.push([...busy].join())),
  );
  running.add(pools.run());
  // The workers register at 0, and their pool appears after that turn.
  for (const until of [0, DURATION_MS]) {
    scheduler.maxFrames = until;
    scheduler.flush();
    await turn();
  }
  expect(pools.list()).toHaveLength(1);
  running.unsubscribe();
  return { transitions, sets };
}

describe('tidemark demo', () => {
  it.each(Object.values(policies))('workers become busy and free again under $name', async (policy) => {
    const { transitions } = await runDemo(policy);
    expect(transitions.filter(({ busy }) => busy).length).toBeGreaterThan(10);
    expect(transitions.filter(({ busy }) => !busy).length).toBeGreaterThan(10);
    expect(transitions.every(({ verdict }) => verdict.text.length > 20)).toBe(true);
  });

  it('the same seed gives the same transitions, and sets are only emitted when they change', async () => {
    const { transitions, sets } = await runDemo(policies.default);
    expect((await runDemo(policies.default)).transitions).toEqual(transitions);
    for (const [index, set] of sets.entries()) if (index > 0) expect(set).not.toBe(sets[index - 1]);
  });

  it('prints one line with the reason for each transition, and a summary', async () => {
    const { code, out, err } = await runCli(['demo', '--duration', '5', '--seed', '1']);
    const lines = out.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(3);
    for (const text of lines.slice(0, -1))
      expect(text).toMatch(
        /^ +\d+\.\d s {2}(?:▲ worker \d+ is busy|▽ worker \d+ is free|\? worker \d+ is unknown): /,
      );
    expect(lines.at(-1)).toMatch(
      /^after (?:[5-9]|\d{2,})\.\d s: \d+ load messages, \d+ discovery records, \d+ transitions; /,
    );
    expect(err).toContain(
      '6 workers × 2 ranks for 5 s, seed 1, policy default; thresholds: 0.85 of the KV blocks',
    );
    expect(code).toBe(0);
  });

  it('--json prints one object per line, the summary last', async () => {
    const { out } = await runCli(['demo', '--duration', '1', '--json', '--workers', '3', '--ranks', '1']);
    const objects = jsonLines(out);
    expect(objects.at(-1)).toMatchObject({
      summary: {
        messages: expect.any(Number) as number,
        records: expect.any(Number) as number,
        busy: expect.any(Array) as unknown[],
      },
    });
    for (const object of objects.slice(0, -1))
      expect(object).toMatchObject({
        role: 'decode',
        workerId: expect.stringMatching(/^\d+$/) as string,
        from: expect.stringMatching(/^(busy|free|unknown)$/) as string,
        to: expect.stringMatching(/^(busy|free|unknown)$/) as string,
        reason: expect.stringMatching(/^(load|left)$/) as string,
      });
  });

  it('Ctrl-C ends the demo with a summary', async () => {
    const { code, out } = await runCli(['demo', '--duration', '3600'], { signal: 'SIGINT' });
    expect(out).toMatch(/after \d+\.\d s: \d+ load messages/);
    expect(code).toBe(0);
  });

  it('Dynamo’s variables set the thresholds, and None replaces the demo’s own too', async () => {
    const run = async (threshold: string): Promise<string> => {
      const env = { DYN_ACTIVE_DECODE_BLOCKS_THRESHOLD: threshold };
      return (await runCli(['demo', '--duration', '0.1', '--port', '0'], { env })).err;
    };
    expect(await run('0.5')).toContain('thresholds: 0.5 of the KV blocks; press');
    expect(await run('None')).toContain('no threshold is set; press');
  });

  it('invalid options: exit code 2 and a sentence with the range; all invalid thresholds together', async () => {
    expect(await runCli(['demo', '--workers', '0'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(
        'workers must be a whole number from 1 to 10000, not "0" (flag --workers).',
      ) as string,
    });
    expect(await runCli(['demo', '--duration', 'x'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('from 0.1 to 2000000') as string,
    });
    const bad = ['--active-decode-blocks-threshold', '2', '--active-prefill-tokens-threshold-frac', '-1'];
    expect(await runCli(['demo', ...bad])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/from 0 to 1, not "2" [^]*, not "-1"/) as string,
    });
    expect(await runCli(['demo', '--active-prefill-tokens-threshold', 'many'])).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        'must be a whole number from 0 to 18446744073709551615, not "many"',
      ) as string,
    });
  });
});

describe('tidemark', () => {
  it.each([
    ['--help'],
    ['demo', '--help'],
    ['replay', '--help'],
    ['decode', '--help'],
    ['watch', '--help'],
    ['simulate', '--help'],
  ])('%s %s shows examples', async (...args) => {
    const { code, out } = await runCli(args);
    expect(out).toMatch(/Examples:\n {2}\$ tidemark /);
    expect(code).toBe(0);
  });

  it('without a command: help on standard error, exit code 2', async () => {
    expect(await runCli([])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('Commands:') as string,
    });
  });

  it('--version prints the version of the package', async () => {
    expect((await runCli(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
