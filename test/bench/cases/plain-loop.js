import { LoadBatchDecoder } from 'tidemark/fast';
import { benchFleet, POLICY } from '../bench-fleet.js';
import { check, stateOf, deliverAll } from '../bench-state.js';
import { nanoseconds } from '../measure.js';
import { chunkedMessages, singleMessages } from '../traffic.js';

/**
 * The calibration of `pipeline`: the same decoder and state in a plain loop, without RxJS. One buffer per message;
 * the view is the transport's, not timed. The clock is read for each step.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function loop({ workers, ranks, effort }) {
  const fleet = benchFleet({ workers, ranks });
  const traffic = singleMessages(fleet);
  const { messages } = traffic;
  const decoder = new LoadBatchDecoder(POLICY);
  const state = stateOf(fleet);
  let busy = 0;
  const run = () => {
    for (let i = 0; i < messages.length; i += 1) {
      if (decoder.add(messages[i]) !== null) throw new Error('refused');
      const step = state.applyRow(decoder.batch, 0, Date);
      if (step !== null) busy = step.busy.size;
      decoder.clear();
    }
    return messages.length;
  };
  deliverAll(traffic, run);
  const taken = nanoseconds(effort, { prepare: traffic.prepare, run });
  check(busy, fleet.busyCount, 'busy workers');
  return taken;
}

/**
 * The calibration of `pipeline-chunk`: the same decoder and state in a plain loop, without RxJS. Many messages in
 * one chunk; the views are made by `subarray`, timed. The clock is read for each step.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function loopChunk({ workers, ranks, effort }) {
  const fleet = benchFleet({ workers, ranks });
  const traffic = chunkedMessages(fleet);
  const { chunk, bounds, count } = traffic;
  const decoder = new LoadBatchDecoder(POLICY);
  const state = stateOf(fleet);
  let busy = 0;
  const run = () => {
    decoder.clear();
    for (let i = 0; i < count; i += 1) {
      if (decoder.add(chunk.subarray(bounds[i], bounds[i + 1])) !== null) throw new Error('refused');
    }
    const { batch } = decoder;
    for (let row = 0; row < count; row += 1) {
      const step = state.applyRow(batch, row, Date);
      if (step !== null) busy = step.busy.size;
    }
    return count;
  };
  deliverAll(traffic, run);
  const taken = nanoseconds(effort, { prepare: traffic.prepare, run });
  check(busy, fleet.busyCount, 'busy workers');
  return taken;
}
