import { views, walk } from './cases/calibration.js';
import { decode, decodeAccount, decodeChunk, decodeNumbered, decodeObjects } from './cases/decode.js';
import { flip, flipAny, flipNone, flipOne, flipReasons } from './cases/flip.js';
import { memory } from './cases/memory.js';
import { natsColumns, natsLatency, natsLatencyNothing, natsNothing, natsObjects } from './cases/nats.js';
import { pipeline, pipelineChunk, pipelineObjects } from './cases/pipeline.js';
import { loop, loopChunk } from './cases/plain-loop.js';
import { monitorRows, reduce, reduceObjects } from './cases/reduce.js';
import { scrape, scrapeBlock, scrapeIdle, scrapeLost } from './cases/scrape.js';
import { stats, statsNothing, statsSnapshot } from './cases/stats.js';
import { textbook } from './cases/textbook.js';
import { gateCaseNames } from './gate.js';

/**
 * @typedef {{ workers: number, ranks: number, effort: import('./measure.js').Effort, server: string | undefined }} CaseInput
 * @typedef {{
 *   kind: string,
 *   isolates: string,
 *   view: string,
 *   unit: 'ns' | 'B' | 'ms' | 'loads',
 *   ranks: readonly number[],
 *   work: (input: CaseInput) => number | Promise<number>,
 * }} CaseKind
 * @typedef {CaseKind & { name: string, workers: number, dp: number }} Case
 */

/** The fleets of a run: small, middle, large. A quick run looks at smaller ones. */
export const fullSizes = [10, 1_000, 100_000];
export const quickSizes = [10, 100, 1_000];
/** The fleet of which pages are made. */
export const scrapeSizes = [10_000];
export const quickScrapeSizes = [100];
/** The fleets of the gate. */
export const gateSizes = [10, 1_000];
export const quickGateSizes = [10, 100];

const BOTH = [1, 8];
const ONE = [1];
const EIGHT = [8];
const TRANSPORT = 'the transport, not timed';
const SUBARRAY = 'the case by subarray, timed';
const NO_MESSAGE = 'nobody: no message';

/** @type {readonly CaseKind[]} */
const kinds = [
  kind('walk', 'random reads over as many bytes as the state has', NO_MESSAGE, BOTH, walk),
  kind('views', 'one subarray for each message, nothing else', SUBARRAY, EIGHT, views),
  kind('decode', 'bytes to columns', TRANSPORT, BOTH, decode),
  kind('decode-numbered', 'decode, the numbers of publishers in order', TRANSPORT, EIGHT, decodeNumbered),
  kind('decode-account', 'decode-numbered, and LoadAccounting', TRANSPORT, EIGHT, decodeAccount),
  kind('decode-chunk', 'bytes to columns, many messages in one chunk', SUBARRAY, BOTH, decodeChunk),
  kind('decode-objects', 'bytes to an object with text ids', TRANSPORT, EIGHT, decodeObjects),
  kind('reduce', 'decoded rows into the state', NO_MESSAGE, BOTH, reduce),
  kind('monitor', 'decoded rows to busy$ of loadMonitor', NO_MESSAGE, EIGHT, monitorRows),
  kind(
    'reduce-objects',
    'decoded objects through reduceFleet and busySets',
    NO_MESSAGE,
    EIGHT,
    reduceObjects,
  ),
  kind('loop', 'decode and reduce in a plain loop, no RxJS', TRANSPORT, BOTH, loop),
  kind('pipeline', 'bytes to busy$ of loadMonitor, one by one', TRANSPORT, BOTH, pipeline),
  kind('loop-chunk', 'decode and reduce of a chunk in a plain loop, no RxJS', SUBARRAY, BOTH, loopChunk),
  kind(
    'pipeline-chunk',
    'bytes to busy$ of loadMonitor, a chunk as one batch',
    SUBARRAY,
    BOTH,
    pipelineChunk,
  ),
  kind('pipeline-objects', 'bytes to busySets of reduceFleet, objects', TRANSPORT, EIGHT, pipelineObjects),
  kind('flip-none', 'the rows of flip, none of which crosses', NO_MESSAGE, EIGHT, flipNone),
  kind('flip', 'every row flips one of ten workers, all others busy', NO_MESSAGE, EIGHT, flip),
  kind('flip-one', 'every row flips the same worker, old versions retained', NO_MESSAGE, EIGHT, flipOne),
  kind('flip-any', 'every row flips any worker: memory latency included', NO_MESSAGE, EIGHT, flipAny),
  kind('flip-told', 'as flip, and the reason of each is read as text', NO_MESSAGE, EIGHT, flipReasons),
  {
    ...kind('memory', 'bytes for each worker: state, ids, index, table', NO_MESSAGE, BOTH, memory),
    unit: 'B',
  },
];

const textbookKind = kind('textbook', 'bytes to busy set as a textbook has it', TRANSPORT, EIGHT, textbook);

/** Beside a NATS server, with a publisher in another process. */
const natsKinds = [
  kind(
    'nats-nothing',
    'the client and a callback that counts, processor time',
    TRANSPORT,
    EIGHT,
    natsNothing,
  ),
  kind('nats-objects', 'receiveLoads to busy$ of loadMonitor, objects', TRANSPORT, EIGHT, natsObjects),
  kind('nats-columns', 'receiveLoads to busy$ of loadMonitor, columns', TRANSPORT, EIGHT, natsColumns),
  kind(
    'nats-latency-nothing',
    'publish to a callback that decodes, wall time',
    TRANSPORT,
    EIGHT,
    natsLatencyNothing,
  ),
  kind('nats-latency', 'publish to busy$, 10 000 flips a second, wall time', TRANSPORT, EIGHT, natsLatency),
  kind(
    'stats-nothing',
    'a scrape of all workers with the client alone, processor time',
    TRANSPORT,
    ONE,
    statsNothing,
  ),
  kind('stats', 'the same with scrapeStats', TRANSPORT, ONE, stats),
  kind('stats-snapshot', 'the same, decoded and made a snapshot', TRANSPORT, ONE, statsSnapshot),
];

/** One page after the other while 50 000 loads a second flow, from a publisher on another thread. */
const scrapeKinds = /** @type {const} */ ([
  ['scrape', 'one page, five gauges of every rank and all of ours, wall time', 'ms', scrape],
  ['scrape-block', 'the longest block of the event loop while pages are made', 'ms', scrapeBlock],
  ['scrape-idle', 'the same while none is made: loads and machine', 'ms', scrapeIdle],
  ['scrape-lost', 'loads published and not received meanwhile', 'loads', scrapeLost],
]).map(([name, isolates, unit, work]) => ({ ...kind(name, isolates, SUBARRAY, EIGHT, work), unit }));

/**
 * The cases of pages.
 *
 * @param {readonly number[]} sizes
 */
export function scrapeCasesOf(sizes) {
  return casesOf(sizes, scrapeKinds);
}

/**
 * The cases of the gate.
 *
 * @param {readonly number[]} sizes
 */
export function gateCasesOf(sizes) {
  const needed = gateCaseNames(sizes);
  return casesOf(sizes, [textbookKind, ...kinds]).filter(({ name }) => needed.has(name));
}

/**
 * The cases of NATS, at the middle size.
 *
 * @param {readonly number[]} sizes
 */
export function natsCasesOf([, middle = 0]) {
  return casesOf([middle], natsKinds);
}

/**
 * Every case at every size, the cases that are compared beside each other.
 *
 * @param {readonly number[]} sizes
 * @param {readonly CaseKind[]} of
 * @returns {Case[]}
 */
export function casesOf(sizes, of = kinds) {
  return [1, 8].flatMap((dp) =>
    sizes.flatMap((workers) =>
      of
        .filter(({ ranks }) => ranks.includes(dp))
        .map((one) => ({ ...one, name: `${one.kind}/${workers}x${dp}`, workers, dp })),
    ),
  );
}

/**
 * @param {string} name
 * @param {string} isolates
 * @param {string} view
 * @param {readonly number[]} ranks
 * @param {CaseKind['work']} work
 * @returns {CaseKind}
 */
function kind(name, isolates, view, ranks, work) {
  return { kind: name, isolates, view, unit: 'ns', ranks, work };
}
