import { shuffled, randomWords } from '../random.js';
import { benchFleet } from '../bench-fleet.js';
import { nanoseconds } from '../measure.js';
import { chunkedMessages } from '../traffic.js';

const LINE = 16;
/** Bytes a fleet's state, worker table and their link take for one worker, and for one rank. */
const WORKER_BYTES = 64 + 32 + 8;
const RANK_BYTES = 24;
const STEPS = 4096;

/**
 * Isolates memory latency: each step reads a cache line whose position the previous step read, over as many bytes
 * as the state of a fleet of this size has. No message, no view, no code of the project.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function walk({ workers, ranks, effort }) {
  const lines = Math.max(2, Math.ceil((workers * (WORKER_BYTES + ranks * RANK_BYTES)) / (LINE * 4)));
  const order = shuffled(lines, randomWords(1));
  const words = new Int32Array(lines * LINE);
  for (let i = 0; i < lines; i += 1) words[order[i] * LINE] = order[(i + 1) % lines] * LINE;
  let at = 0;
  return nanoseconds(effort, {
    run: () => {
      for (let i = 0; i < STEPS; i += 1) at = words[at];
      return at < 0 ? 0 : STEPS;
    },
  });
}

/**
 * Isolates what `subarray` costs: one view for each message of a chunk, made in the loop, of which one byte is
 * read. Nothing is decoded.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function views({ workers, ranks, effort }) {
  const traffic = chunkedMessages(benchFleet({ workers, ranks }));
  const { chunk, bounds, count } = traffic;
  let sum = 0;
  return nanoseconds(effort, {
    prepare: traffic.prepare,
    run: () => {
      for (let i = 0; i < count; i += 1) sum += chunk.subarray(bounds[i], bounds[i + 1])[0];
      return sum < 0 ? 0 : count;
    },
  });
}
