import { memoryUsage } from 'node:process';
import { LoadBatchDecoder } from 'tidemark/fast';
import { benchFleet, POLICY } from '../bench-fleet.js';
import { stateOf, deliverAll } from '../bench-state.js';
import { singleMessages } from '../traffic.js';

/**
 * Bytes for each worker after every rank reported once, in random order: the state, its text ids and index, and
 * the decoder with its table of ids. It excludes the messages and their maker, and includes fixed costs, so small
 * fleets show little.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function memory({ workers, ranks }) {
  const fleet = benchFleet({ workers, ranks });
  const traffic = singleMessages(fleet);
  const before = bytesInUse();
  const held = taught(fleet, traffic);
  const bytes = bytesInUse() - before;
  if (held.state.busy.size !== fleet.busyCount) throw new Error('the state does not match the fleet');
  return bytes / workers;
}

/**
 * @param {import('../bench-fleet.js').BenchFleet} fleet
 * @param {ReturnType<typeof singleMessages>} traffic
 */
function taught(fleet, traffic) {
  const state = stateOf(fleet);
  const decoder = new LoadBatchDecoder(POLICY);
  deliverAll(traffic, () => {
    for (const message of traffic.messages) {
      decoder.add(message);
      state.applyRow(decoder.batch, 0, Date);
      decoder.clear();
    }
    return 0;
  });
  return { state, decoder };
}

/** The heap and what typed arrays hold outside of it, after two collections. */
function bytesInUse() {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('node needs --expose-gc');
  gc();
  gc();
  const { heapUsed, external } = memoryUsage();
  return heapUsed + external;
}
