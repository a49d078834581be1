import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { demoMonitor } from '../../src/cli/demo/demo-fleet.js';
import { paced } from '../../src/cli/paced.js';
import { LoadThresholdConfig } from '../../src/core/policy/load-threshold-config.js';
import { policies } from '../../src/core/policy/policies.js';
import type { Transition } from '../../src/core/state/fleet-step.js';
import { simulateFleet } from '../../src/simulator/simulate-fleet.js';
import { LoadDecoder } from '../../src/wire/loads/load-decoder.js';
import { jsonLines, runCli } from '../support/run-cli.js';

/** What leaves the demo's monitor over a minute, in virtual time. */
function watched(policy: (typeof policies)[keyof typeof policies]): {
  transitions: Transition[];
  sets: string[];
} {
  const scheduler = new VirtualTimeScheduler();
  const facts = simulateFleet({ seed: 1, workers: 6, ranks: 2, durationMs: 60_000, startedAt: 0, policy });
  const thresholds = LoadThresholdConfig.defaults(policy).update({ activeDecodeBlocksThreshold: 0.85 });
  const decoder = new LoadDecoder(policy);
  const monitor = demoMonitor({ events$: paced(facts, scheduler), decoder, policy, thresholds }, scheduler);
  const transitions: Transition[] = [];
  const sets: string[] = [];
  monitor.transitions$.subscribe((transition) => transitions.push(transition));
  monitor.busy$.subscribe((busy) => sets.push([...busy].join()));
  monitor.connect();
  scheduler.flush();
  return { transitions, sets };
}

describe('tidemark demo', () => {
  it.each(Object.values(policies))(
    'in virtual time - workers become busy and free again under $name',
    (policy) => {
      const { transitions } = watched(policy);
      expect(transitions.filter(({ busy }) => busy).length).toBeGreaterThan(10);
      expect(transitions.filter(({ busy }) => !busy).length).toBeGreaterThan(10);
      expect(transitions.every(({ verdict }) => verdict.text.length > 20)).toBe(true);
    },
  );

  it('the same seed shows the same, and a set only when it changed', () => {
    const { transitions, sets } = watched(policies.default);
    expect(watched(policies.default).transitions).toEqual(transitions);
    for (const [index, set] of sets.entries()) if (index > 0) expect(set).not.toBe(sets[index - 1]);
  });

  it('text - one line for each transition with its reason, and a summary', async () => {
    const { code, out, err } = await runCli(['demo', '--duration', '2', '--seed', '1']);
    const lines = out.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(3);
    for (const text of lines.slice(0, -1))
      expect(text).toMatch(/^ +\d+\.\d s {2}[▲▽] worker \d+ is (busy|free): /);
    expect(lines.at(-1)).toMatch(
      /^after (?:[2-9]|\d{2,})\.\d s: \d+ load messages, \d+ discovery records, \d+ transitions; /,
    );
    expect(err).toContain(
      '6 workers × 2 ranks for 2 s, seed 1, policy default; marks: 0.85 of the KV blocks',
    );
    expect(code).toBe(0);
  });

  it('--json - one object a line, the summary last', async () => {
    const { out } = await runCli(['demo', '--duration', '1', '--json', '--workers', '3', '--ranks', '1']);
    const objects = jsonLines(out);
    expect(objects.at(-1)).toMatchObject({
      summary: {
        messages: expect.any(Number) as number,
        records: expect.any(Number) as number,
        busy: expect.any(Array) as unknown[],
      },
    });
    for (const one of objects.slice(0, -1))
      expect(one).toMatchObject({ workerId: expect.stringMatching(/^\d+$/) as string, reason: 'load' });
  });

  it('Ctrl-C - ends it with a summary', async () => {
    const { code, out } = await runCli(['demo', '--duration', '3600'], { signal: 'SIGINT' });
    expect(out).toMatch(/after \d+\.\d s: \d+ load messages/);
    expect(code).toBe(0);
  });

  it('bad options - exit 2 and a sentence with the range; all bad marks at once', async () => {
    expect(await runCli(['demo', '--workers', '0'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('from 1 to 1000') as string,
    });
    expect(await runCli(['demo', '--duration', 'x'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('from 0.1 to 86400') as string,
    });
    const bad = ['--active-decode-blocks-threshold', '2', '--active-prefill-tokens-threshold-frac', '-1'];
    expect(await runCli(['demo', ...bad])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/between 0\.0 and 1\.0, got 2; .*got -1/) as string,
    });
    expect(await runCli(['demo', '--active-prefill-tokens-threshold', 'many'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('must be a number') as string,
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
  ])('%s %s - shows examples', async (...args) => {
    const { code, out } = await runCli(args);
    expect(out).toMatch(/Examples:\n {2}\$ tidemark /);
    expect(code).toBe(0);
  });

  it('without a command - help on standard error, exit 2', async () => {
    expect(await runCli([])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('Commands:') as string,
    });
  });

  it('--version - is the package’s', async () => {
    expect((await runCli(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
