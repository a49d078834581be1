import process, { argv, exit, stderr, stdout } from 'node:process';
import {
  casesOf,
  fullSizes,
  gateCasesOf,
  gateSizes,
  natsCasesOf,
  quickGateSizes,
  quickScrapeSizes,
  quickSizes,
  scrapeCasesOf,
  scrapeSizes,
} from './cases.js';
import { compareRevisions } from './compare-revisions.js';
import { CompareError } from './compare-error.js';
import { comparisonTable } from './compare.js';
import { gateRound } from './gate.js';
import { fullEffort, gateEffort, quickEffort } from './measure.js';
import { startNats } from './nats/start-nats.js';
import { help, optionsOf } from './options.js';
import { reportOf, tableOf } from './report.js';
import { runProcesses } from './run-processes.js';

const options = optionsOf(argv.slice(2));
if (typeof options === 'string') {
  stderr.write(`${options}\n\n${help}`);
  exit(2);
}
if (options.help) {
  stdout.write(help);
  exit(0);
}

const { quick, processes, suite } = options;
const suites = {
  nats: { cases: natsCasesOf, full: fullSizes, quick: quickSizes },
  scrape: { cases: scrapeCasesOf, full: scrapeSizes, quick: quickScrapeSizes },
  gate: { cases: gateCasesOf, full: gateSizes, quick: quickGateSizes },
  rest: { cases: casesOf, full: fullSizes, quick: quickSizes },
};
const chosen = suites[suite ?? 'rest'];
const sizes = quick ? chosen.quick : chosen.full;
const all = chosen.cases(sizes);

if (options.run !== undefined) {
  const one = all.find(({ name }) => name === options.run);
  if (one === undefined) throw new Error(`no case ${options.run}`);
  const effort = quick ? quickEffort : suite === 'gate' ? gateEffort : fullEffort;
  stdout.write(
    `${await one.work({ workers: one.workers, ranks: one.dp, effort, server: options.server })}\n`,
  );
  exit(0);
}

const cases = all.filter(({ name }) => options.only.test(name));
if (options.list) {
  for (const { name, isolates, view } of cases)
    stdout.write(`${name.padEnd(28)}${isolates}; view: ${view}\n`);
  exit(0);
}
if (cases.length === 0) {
  stderr.write('no case has such a name; --list shows them\n');
  exit(2);
}

if (options.compare !== undefined) {
  const revision = options.compare;
  const ended = new globalThis.AbortController();
  process.once('SIGINT', () => ended.abort()).once('SIGTERM', () => ended.abort());
  const { server, renamed } = options;
  const how = { rounds: processes, quick, suite, server, renamed, signal: ended.signal };
  try {
    const results = await compareRevisions(revision, cases, how);
    stdout.write(
      options.json
        ? `${JSON.stringify({ revision, quick, processes, results }, null, 2)}\n`
        : comparisonTable(results, { revision, rounds: processes, quick }),
    );
  } catch (error) {
    if (!ended.signal.aborted && !(error instanceof CompareError)) throw error;
    stderr.write(error instanceof CompareError ? `${error.message}\n` : 'interrupted\n');
    exit(error instanceof CompareError ? 2 : 130);
  }
  exit(0);
}

/** @param {number} round @param {ReadonlyMap<string, readonly number[]>} values */
function roundOf(round, values) {
  if (suite !== 'gate') return round <= processes ? cases : [];
  const names = gateRound(round, values, { sizes, processes, quick });
  return cases.filter(({ name }) => names.has(name));
}

const nats = suite === 'nats' && options.server === undefined ? await startNats() : undefined;
try {
  const server = options.server ?? nats?.url;
  const values = await runProcesses(cases, roundOf, { quick, suite, server });
  const report = reportOf(cases, values, { sizes, quick, processes, suite });
  stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : tableOf(report));
  const judged = options.gate || suite === 'gate';
  if (judged && report.goals.some(({ gated, holds }) => gated && holds !== true)) process.exitCode = 1;
} finally {
  await nats?.stop();
}
