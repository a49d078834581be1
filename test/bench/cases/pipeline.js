import { LoadBatchDecoder } from 'tidemark/fast';
import { LoadDecoder } from 'tidemark/wire';
import { benchFleet, POLICY } from '../bench-fleet.js';
import { check, monitorOf, deliverAll } from '../bench-state.js';
import { nanoseconds } from '../measure.js';
import { chunkedMessages, singleMessages } from '../traffic.js';
import { reducerOf } from './reduce.js';

/**
 * Bytes → batch decoder → `loadMonitor` → a subscriber of `busy$`, each message delivered before the next is
 * looked at. One buffer per message; the view is the transport's, not timed.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function pipeline({ workers, ranks, effort }) {
  const fleet = benchFleet({ workers, ranks });
  const traffic = singleMessages(fleet);
  const { messages } = traffic;
  const decoder = new LoadBatchDecoder(POLICY);
  const { loads, seen } = monitorOf(fleet);
  const run = () => {
    for (let i = 0; i < messages.length; i += 1) {
      if (decoder.add(messages[i]) !== null) throw new Error('refused');
      loads.next(decoder.batch);
      decoder.clear();
    }
    return messages.length;
  };
  deliverAll(traffic, run);
  const taken = nanoseconds(effort, { prepare: traffic.prepare, run });
  check(seen.busy, fleet.busyCount, 'busy workers');
  return taken;
}

/**
 * Bytes → batch decoder → `loadMonitor` → a subscriber of `busy$`, a chunk of messages as one batch. The views are
 * made by `subarray`, timed.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function pipelineChunk({ workers, ranks, effort }) {
  const fleet = benchFleet({ workers, ranks });
  const traffic = chunkedMessages(fleet);
  const { chunk, bounds, count } = traffic;
  const decoder = new LoadBatchDecoder(POLICY);
  const { loads, seen } = monitorOf(fleet);
  const run = () => {
    decoder.clear();
    for (let i = 0; i < count; i += 1) {
      if (decoder.add(chunk.subarray(bounds[i], bounds[i + 1])) !== null) throw new Error('refused');
    }
    loads.next(decoder.batch);
    return count;
  };
  deliverAll(traffic, run);
  const taken = nanoseconds(effort, { prepare: traffic.prepare, run });
  check(seen.busy, fleet.busyCount, 'busy workers');
  return taken;
}

/**
 * Bytes → `LoadDecoder` → `reduceFleet` → `busySets`: an object with text ids for each message. One buffer per
 * message; the view is the transport's, not timed.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function pipelineObjects({ workers, ranks, effort }) {
  const fleet = benchFleet({ workers, ranks });
  const traffic = singleMessages(fleet);
  const { messages } = traffic;
  const decoder = new LoadDecoder(POLICY);
  const { events$, seen } = reducerOf(fleet);
  const run = () => {
    for (let i = 0; i < messages.length; i += 1) events$.next(decoder.decode(messages[i]).load);
    return messages.length;
  };
  deliverAll(traffic, run);
  const taken = nanoseconds(effort, { prepare: traffic.prepare, run });
  check(seen.busy, fleet.busyCount, 'busy workers');
  return taken;
}
