import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium, type BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from './support/describe-with.js';
import { findProgram } from './support/find-program.js';
import { HOOK_MS, packageEntries, packedProject, type PackedProject } from './support/packed-project.js';

/** A program for each entry that needs no Node API, and what it returns. */
const programs: Readonly<Record<string, readonly [code: string, result: unknown]>> = {
  tidemark: [
    `import { of } from 'rxjs';
     import { loadMonitor, policies, workerId } from 'tidemark';
     const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: null, kvUsedBlocks: null };
     const texts = [];
     const monitor = loadMonitor(
       { thresholds: of({ activePrefillTokensThreshold: 10 }), loads: of({ ...load, activePrefillTokens: 11 }) },
       { policy: policies.default, signal: new AbortController().signal },
     );
     monitor.transitions$.subscribe(({ verdict }) => texts.push(verdict.text));
     monitor.connect();
     export const result = texts;`,
    ['worker 7 is busy: rank 0 prefill tokens 11 > 10 (1 of 1 ranks busy, 1 needed)'],
  ],
  'tidemark/aggregator': [
    `import { of, take } from 'rxjs';
     import { workerId } from 'tidemark';
     import { engineLoads, ProcessedEndpoints } from 'tidemark/aggregator';
     const kvStats = { kvActiveBlocks: 90, kvTotalBlocks: 100, gpuCacheUsagePerc: 0.5, gpuPrefixCacheHitRate: 0 };
     const workerStats = { dataParallelRank: 1, requestActiveSlots: 3, requestTotalSlots: 8, numRequestsWaiting: 0 };
     const engineLoadMetrics = { workerStats, kvStats, specDecodeStats: null };
     const endpoint = { name: 'e', subject: 's.e-7', workerId: workerId('7'), data: { engineLoadMetrics } };
     let seen;
     of(ProcessedEndpoints.of([endpoint])).pipe(engineLoads(), take(1)).subscribe((load) => (seen = load));
     export const result = [seen.workerId, seen.dpRank, seen.activeDecodeBlocks];`,
    ['7', 1, 90],
  ],
  'tidemark/operators': [
    `import { of, toArray } from 'rxjs';
     import { setDifference } from 'tidemark/operators';
     let seen;
     of(new Set([1, 2]), new Set([2, 3])).pipe(setDifference(), toArray()).subscribe((all) => (seen = all));
     export const result = seen.map(({ added, removed }) => [[...added], [...removed]]);`,
    [
      [[1, 2], []],
      [[3], [1]],
    ],
  ],
  'tidemark/wire': [
    `import { policies, workerId } from 'tidemark';
     import { encodeActiveLoad, encodeEnvelope, LoadDecoder } from 'tidemark/wire';
     const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: 90, activePrefillTokens: null, kvUsedBlocks: null };
     const head = { publisherId: '9', sequence: 0, publishedAt: 1_700_000_000_000 };
     const decoded = new LoadDecoder(policies.default).decode(encodeEnvelope(head, encodeActiveLoad(load, 4)));
     export const result = decoded.load.activeDecodeBlocks;`,
    90,
  ],
  'tidemark/clock': [
    `import { monotonicScheduler } from 'tidemark/clock';
     export const result = Math.abs(monotonicScheduler.now() - Date.now()) < 60_000;`,
    true,
  ],
  'tidemark/simulator': [
    `import { policies } from 'tidemark';
     import { simulateFleet } from 'tidemark/simulator';
     const plan = { seed: 1, workers: 2, ranks: 1, durationMs: 1000, startedAt: 0, policy: policies['dynamo-1.6'] };
     const keys = [...simulateFleet(plan)].flatMap((fact) => ('key' in fact ? [fact.key.split('/')[1]] : []));
     export const result = keys.slice(0, 4);`,
    ['instances', 'mdc', 'instances', 'mdc'],
  ],
  'tidemark/testing': [
    `import { map } from 'rxjs';
     import { assertMarble } from 'tidemark/testing';
     const operators = { double: () => map((n) => n * 2) };
     let text = '';
     try {
       assertMarble('-a-|\\na := 2\\n> double\\n-b-|\\nb := 4', 'double.txt', operators);
       assertMarble('-a-|\\na := 2\\n> double\\n-b-|\\nb := 5', 'double.txt', operators);
     } catch (error) {
       text = error.code;
     }
     export const result = text;`,
    'marble-failed',
  ],
};

/** The entries that talk to servers or serve. */
const needNode = [
  'tidemark/dynamo',
  'tidemark/etcd',
  'tidemark/nats',
  'tidemark/prometheus',
  'tidemark/service',
];

// The system stays as it is: no network, and a profile that is removed.
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

it('every entry either runs in a browser or needs Node', async () => {
  expect([...Object.keys(programs), ...needNode].sort()).toEqual((await packageEntries()).sort());
});

describeWith('chromium', 'in Chromium', () => {
  let project: PackedProject;
  let profile: string;
  let browser: BrowserContext;
  beforeAll(async () => {
    project = await packedProject();
    profile = await mkdtemp(join(tmpdir(), 'tidemark-chromium-'));
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: findProgram('chromium') ?? 'chromium',
      args: flags,
    });
  }, HOOK_MS);
  afterAll(async () => {
    await browser.close();
    await rm(profile, { recursive: true, force: true });
    await project[Symbol.asyncDispose]();
  });

  it.each(Object.entries(programs))('%s runs', async (_, [code, result]) => {
    const page = await browser.newPage();
    await page.addScriptTag({ content: await bundle(code, project.folder) });
    expect(await page.evaluate('program.result')).toEqual(result);
    await page.close();
  });

  it.each(needNode)('%s is refused by the bundler, with a reason', async (entry) => {
    const program = `import * as entry from '${entry}'; export const result = Object.keys(entry);`;
    await expect(bundle(program, project.folder)).rejects.toThrow(/Could not resolve "node:/);
  });
});

/** One script for a browser, whose exports are the global variable `program`. */
async function bundle(contents: string, resolveDir: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    format: 'iife',
    globalName: 'program',
    platform: 'browser',
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}
