import { performance } from 'node:perf_hooks';
import { LoadAccounting } from 'tidemark/dynamo';
import { LoadBatchDecoder } from 'tidemark/fast';
import { LoadDecoder } from 'tidemark/wire';
import { benchFleet, POLICY } from '../bench-fleet.js';
import { check, deliverAll } from '../bench-state.js';
import { nanoseconds } from '../measure.js';
import { chunkedMessages, numberedMessages, singleMessages } from '../traffic.js';

/**
 * Isolates the batch decoder: bytes to columns, worker index included. One buffer per message; the view is the
 * transport's, not timed.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function decode({ workers, ranks, effort }) {
  const traffic = singleMessages(benchFleet({ workers, ranks }));
  const decoder = new LoadBatchDecoder(POLICY);
  const { messages } = traffic;
  const run = () => {
    let refused = 0;
    for (let i = 0; i < messages.length; i += 1) if (decoder.add(messages[i]) !== null) refused += 1;
    check(refused, 0, 'refused');
    return messages.length;
  };
  check(workersOf(traffic, decoder, run), workers, 'workers');
  return nanoseconds(effort, { prepare: traffic.prepare, run });
}

/**
 * As `decode`, and each message accounted for, beside it to see what accounting costs. The messages of a worker come
 * from one publisher and in order, as they do without faults. The time is set once for a burst.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function decodeAccount({ workers, ranks, effort }) {
  const traffic = numberedMessages(benchFleet({ workers, ranks }));
  const decoder = new LoadBatchDecoder(POLICY);
  const accounting = new LoadAccounting();
  const { messages } = traffic;
  const run = () => {
    accounting.setTime(performance.now(), Date.now());
    let refused = 0;
    for (let i = 0; i < messages.length; i += 1) {
      if (decoder.add(messages[i]) !== null) refused += 1;
      else accounting.countLoad(decoder.header, messages[i].length);
    }
    check(refused, 0, 'refused');
    return messages.length;
  };
  deliverAll(traffic, run);
  const { sequences, publishers } = accounting.snapshot();
  check(publishers.known, workers, 'publishers');
  check(sequences.gaps + sequences.late + sequences.restarts, 0, 'gaps');
  return nanoseconds(effort, { prepare: traffic.prepare, run });
}

/**
 * The calibration of `decode-account`: the same messages, decoded only.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function decodeNumbered({ workers, ranks, effort }) {
  const traffic = numberedMessages(benchFleet({ workers, ranks }));
  const decoder = new LoadBatchDecoder(POLICY);
  const { messages } = traffic;
  const run = () => {
    let refused = 0;
    for (let i = 0; i < messages.length; i += 1) if (decoder.add(messages[i]) !== null) refused += 1;
    check(refused, 0, 'refused');
    return messages.length;
  };
  deliverAll(traffic, run);
  return nanoseconds(effort, { prepare: traffic.prepare, run });
}

/**
 * Isolates the batch decoder on messages in one chunk. The view is made by `subarray`, timed.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function decodeChunk({ workers, ranks, effort }) {
  const traffic = chunkedMessages(benchFleet({ workers, ranks }));
  const decoder = new LoadBatchDecoder(POLICY);
  const { chunk, bounds, count } = traffic;
  const run = () => {
    let refused = 0;
    for (let i = 0; i < count; i += 1) {
      if (decoder.add(chunk.subarray(bounds[i], bounds[i + 1])) !== null) refused += 1;
    }
    check(refused, 0, 'refused');
    return count;
  };
  check(workersOf(traffic, decoder, run), workers, 'workers');
  return nanoseconds(effort, { prepare: traffic.prepare, run });
}

/**
 * Isolates the decoder that makes an object for each message, with text ids and the envelope's head. One buffer
 * per message; the view is the transport's, not timed.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function decodeObjects({ workers, ranks, effort }) {
  const traffic = singleMessages(benchFleet({ workers, ranks }));
  const decoder = new LoadDecoder(POLICY);
  const { messages } = traffic;
  return nanoseconds(effort, {
    prepare: traffic.prepare,
    run: () => {
      let sum = 0;
      for (let i = 0; i < messages.length; i += 1) {
        const decoded = decoder.decode(messages[i]);
        if ('load' in decoded) sum += decoded.load.dpRank + 1;
      }
      return sum > 0 ? messages.length : 0;
    },
  });
}

/**
 * Delivers every rank once, and counts the workers that the decoder found.
 *
 * @param {{ bursts: number, prepare: () => void }} traffic
 * @param {LoadBatchDecoder} decoder
 * @param {() => number} run
 */
function workersOf(traffic, decoder, run) {
  const ids = new Set();
  deliverAll(traffic, () => {
    decoder.clear();
    const count = run();
    for (const id of decoder.batch.workerIds) ids.add(id);
    return count;
  });
  return ids.size;
}
