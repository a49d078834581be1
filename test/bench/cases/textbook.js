import { decode } from '@msgpack/msgpack';
import { distinctUntilChanged, map, scan, Subject } from 'rxjs';
import { benchFleet, idsOf, THRESHOLDS, TOTAL_BLOCKS } from '../bench-fleet.js';
import { check, deliverAll } from '../bench-state.js';
import { nanoseconds } from '../measure.js';
import { singleMessages } from '../traffic.js';

const LIMIT = TOTAL_BLOCKS * THRESHOLDS.activeDecodeBlocksThreshold;

/**
 * The calibration of the gate: the chain that a textbook has, from a MessagePack library to a busy set, with a new
 * `Map` and a full judgement for each message. It contains no code of the project, so a change to the project cannot
 * make it slower.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function textbook({ workers, ranks, effort }) {
  const fleet = benchFleet({ workers, ranks });
  const traffic = singleMessages(fleet);
  const { messages } = traffic;
  const loads$ = new Subject();
  let busyCount = 0;
  loads$
    .pipe(
      map(loadOf),
      scan(withLoad, new Map(idsOf(fleet).map((id) => [BigInt(id), new Map()]))),
      map((fleetLoads) => busyWorkers(fleetLoads, ranks)),
      distinctUntilChanged(isSameSet),
    )
    .subscribe((busy) => {
      busyCount = busy.size;
    });
  const run = () => {
    for (let i = 0; i < messages.length; i += 1) loads$.next(messages[i]);
    return messages.length;
  };
  deliverAll(traffic, run);
  const taken = nanoseconds(effort, { prepare: traffic.prepare, run });
  check(busyCount, fleet.busyCount, 'busy workers');
  return taken;
}

/** @typedef {{ worker_id: bigint, dp_rank: number, kv_used_blocks: number }} Load */
/** @typedef {ReadonlyMap<bigint, ReadonlyMap<number, Load>>} FleetLoads */

/**
 * The load in an envelope.
 *
 * @param {Uint8Array} message
 * @returns {Load}
 */
function loadOf(message) {
  const { payload } = decode(message, { useBigInt64: true });
  return decode(payload, { useBigInt64: true });
}

/**
 * @param {FleetLoads} fleetLoads
 * @param {Load} load
 * @returns {FleetLoads}
 */
function withLoad(fleetLoads, load) {
  const { worker_id: workerId, dp_rank: rank } = load;
  return new Map(fleetLoads).set(workerId, new Map(fleetLoads.get(workerId)).set(rank, load));
}

/**
 * @param {FleetLoads} fleetLoads
 * @param {number} ranks
 */
function busyWorkers(fleetLoads, ranks) {
  const busy = new Set();
  for (const [workerId, loads] of fleetLoads) {
    if (loads.size === ranks && [...loads.values()].every(({ kv_used_blocks: blocks }) => blocks > LIMIT))
      busy.add(workerId);
  }
  return busy;
}

/**
 * @param {ReadonlySet<bigint>} a
 * @param {ReadonlySet<bigint>} b
 */
function isSameSet(a, b) {
  return a.size === b.size && [...a].every((workerId) => b.has(workerId));
}
