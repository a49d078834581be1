import { LoadBatch, NO_VALUE, WorkerTable } from 'tidemark/fast';
import { benchFleet, TOTAL_BLOCKS } from '../bench-fleet.js';
import { check, stateOf } from '../bench-state.js';
import { nanoseconds } from '../measure.js';
import { randomWords } from '../random.js';

const ROWS = 512;
const KEPT = 1024;
const FULL = TOTAL_BLOCKS;
/** A real clock is not read, because it does not belong to a flip. */
const noTime = { now: () => 0 };

/** @typedef {import('../cases.js').CaseInput} CaseInput */

/**
 * The base of the other flips: the same rows for the same ten workers, without a transition. State only.
 *
 * @param {CaseInput} input
 */
export function flipNone(input) {
  return flips(input, { crossing: false, pick: (i) => i % 10 });
}

/**
 * A flip on every event, of ten workers in turn, the same ten at every size: what differs is how many workers are
 * busy. State only; the new busy set's version and size are read.
 *
 * @param {CaseInput} input
 */
export function flip(input) {
  return flips(input, { pick: (i) => i % 10 });
}

/**
 * A flip on every event, of one worker, while old versions are retained: the last 1 024, and every hundredth
 * forever. State only.
 *
 * @param {CaseInput} input
 */
export function flipOne(input) {
  /** @type {unknown[]} */
  const last = new Array(KEPT);
  /** @type {unknown[]} */
  const forEver = [];
  let count = 0;
  const read = (/** @type {import('tidemark').FleetStep} */ { busy }) => {
    last[count % KEPT] = busy;
    if (count % 100 === 0) forEver.push(busy);
    count += 1;
  };
  return flips(input, { pick: () => 0, read });
}

/**
 * A flip on every event, of a worker picked at random among all: memory latency is in it. State only.
 *
 * @param {CaseInput} input
 */
export function flipAny(input) {
  const random = randomWords(3);
  return flips(input, { pick: () => random() % input.workers });
}

/**
 * As `flip`, and the reason of every transition is read, as a logger would.
 *
 * @param {CaseInput} input
 */
export function flipReasons(input) {
  let length = 0;
  const read = (/** @type {import('tidemark').FleetStep} */ { transitions }) => {
    for (const { verdict } of transitions) length += verdict.text.length;
  };
  const taken = flips(input, { pick: (i) => i % 10, read });
  if (length === 0) throw new Error('no reasons');
  return taken;
}

/**
 * Rows that take rank 0 of a busy worker below the threshold and back, all of the fleet being busy.
 *
 * @param {CaseInput} input
 * @param {{ crossing?: boolean, pick: (i: number) => number, read?: (step: import('tidemark').FleetStep) => void }} how
 */
function flips({ workers, ranks, effort }, { crossing = true, pick, read }) {
  const fleet = benchFleet({ workers, ranks, busyShare: 1 });
  const state = stateOf(fleet);
  const columns = columnsFor(fleet);
  const batch = new LoadBatch(columns);
  makeBusy(fleet, state, columns);
  const below = new Uint8Array(workers);
  let seen = 0;
  const prepare = () => {
    for (let row = 0; row < ROWS; row += 1) {
      const worker = pick(row);
      below[worker] ^= 1;
      columns.worker[row] = worker;
      columns.kvUsedBlocks[row] = below[worker] === 1 ? (crossing ? 0 : FULL - 1) : FULL;
    }
    seen = 0;
  };
  const run = () => {
    for (let row = 0; row < ROWS; row += 1) {
      const step = state.applyRow(batch, row, noTime);
      if (step === null) continue;
      seen += 1;
      if (step.busy.size > workers || step.busy.version === 0) throw new Error('no busy set');
      read?.(step);
    }
    check(seen, crossing ? ROWS : 0, 'flips');
    return ROWS;
  };
  return nanoseconds(effort, { prepare, run });
}

/** @param {import('../bench-fleet.js').BenchFleet} fleet */
function columnsFor({ workers, high, low }) {
  const table = new WorkerTable();
  for (let worker = 0; worker < workers; worker += 1) {
    check(table.intern(high[worker], low[worker]), worker, 'index');
  }
  return {
    table,
    count: ROWS,
    worker: new Int32Array(ROWS),
    dpRank: new Uint32Array(ROWS),
    activeDecodeBlocks: new Float64Array(ROWS).fill(NO_VALUE),
    activePrefillTokens: new Float64Array(ROWS).fill(NO_VALUE),
    kvUsedBlocks: new Float64Array(ROWS).fill(FULL),
    wide: new Map(),
  };
}

/**
 * @param {import('../bench-fleet.js').BenchFleet} fleet
 * @param {import('tidemark/fast').FleetLoad} state
 * @param {import('tidemark/fast').LoadColumns} columns
 */
function makeBusy({ workers, ranks }, state, columns) {
  const batch = new LoadBatch(columns);
  for (let worker = 0; worker < workers; worker += 1) {
    for (let rank = 0; rank < ranks; rank += 1) {
      columns.worker[0] = worker;
      columns.dpRank[0] = rank;
      state.applyRow(batch, 0, noTime);
    }
  }
  columns.dpRank.fill(0);
  check(state.busy.size, workers, 'busy workers');
}
