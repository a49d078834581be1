import { MessageMaker } from './message-maker.js';

const BURST = 512;

/**
 * Messages as a transport emits them one by one: a separate buffer and view for each, both made by the
 * transport, so outside of what is timed.
 *
 * @param {import('./bench-fleet.js').BenchFleet} fleet
 */
export function singleMessages(fleet) {
  return madeOneByOne(new MessageMaker(fleet));
}

/**
 * As {@link singleMessages}, from one publisher for each worker, which numbers its messages in order.
 *
 * @param {import('./bench-fleet.js').BenchFleet} fleet
 */
export function numberedMessages(fleet) {
  return madeOneByOne(new MessageMaker(fleet, { numbered: true }));
}

/** @param {MessageMaker} maker */
function madeOneByOne(maker) {
  const messages = new Array(BURST);
  return { messages, prepare: () => maker.fill(messages), bursts: burstsOf(maker) };
}

/**
 * Messages as a socket reads them: many in one chunk, with their bounds. A case that needs a view of one makes it with
 * `subarray`, which is timed.
 *
 * @param {import('./bench-fleet.js').BenchFleet} fleet
 */
export function chunkedMessages(fleet) {
  const maker = new MessageMaker(fleet);
  const messages = new Array(BURST);
  const chunk = new Uint8Array(BURST * 256);
  const bounds = new Uint32Array(BURST + 1);
  const prepare = () => {
    maker.fill(messages);
    let end = 0;
    for (let i = 0; i < BURST; i += 1) {
      chunk.set(messages[i], end);
      end += messages[i].length;
      bounds[i + 1] = end;
    }
  };
  return { chunk, bounds, count: BURST, prepare, bursts: burstsOf(maker) };
}

/**
 * The number of bursts that report every rank of the fleet at least once.
 *
 * @param {MessageMaker} maker
 */
function burstsOf(maker) {
  return Math.ceil(maker.round / BURST);
}
