import { busySets, reduceFleet } from 'tidemark';
import { LoadBatchDecoder } from 'tidemark/fast';
import { LoadDecoder } from 'tidemark/wire';
import { Subject } from 'rxjs';
import { benchFleet, configsOf, idsOf, POLICY, THRESHOLDS } from '../bench-fleet.js';
import { check, monitorOf, stateOf, deliverAll } from '../bench-state.js';
import { nanoseconds } from '../measure.js';
import { singleMessages } from '../traffic.js';

/**
 * Isolates the state: rows of a batch, decoded before and not timed, are stored and judged. No message, no view,
 * no RxJS.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function reduce({ workers, ranks, effort }) {
  const fleet = benchFleet({ workers, ranks });
  const traffic = singleMessages(fleet);
  const decoder = new LoadBatchDecoder(POLICY);
  const state = stateOf(fleet);
  const prepare = () => {
    traffic.prepare();
    decoder.clear();
    for (const message of traffic.messages) decoder.add(message);
  };
  const run = () => {
    const { batch } = decoder;
    for (let row = 0; row < batch.count; row += 1) state.applyRow(batch, row, Date);
    return batch.count;
  };
  deliverAll({ ...traffic, prepare }, run);
  const taken = nanoseconds(effort, { prepare, run });
  check(state.busy.size, fleet.busyCount, 'busy workers');
  return taken;
}

/**
 * Isolates `loadMonitor`: rows of a batch, decoded before and not timed, up to a subscriber of `busy$`.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function monitorRows({ workers, ranks, effort }) {
  const fleet = benchFleet({ workers, ranks });
  const traffic = singleMessages(fleet);
  const decoder = new LoadBatchDecoder(POLICY);
  const { loads, seen } = monitorOf(fleet);
  const prepare = () => {
    traffic.prepare();
    decoder.clear();
    for (const message of traffic.messages) decoder.add(message);
  };
  const run = () => {
    loads.next(decoder.batch);
    return decoder.count;
  };
  deliverAll({ ...traffic, prepare }, run);
  const taken = nanoseconds(effort, { prepare, run });
  check(seen.busy, fleet.busyCount, 'busy workers');
  return taken;
}

/**
 * Isolates `reduceFleet` and `busySets` on loads as objects with text ids, decoded before and not timed.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function reduceObjects({ workers, ranks, effort }) {
  const fleet = benchFleet({ workers, ranks });
  const traffic = singleMessages(fleet);
  const decoder = new LoadDecoder(POLICY);
  const { events$, seen } = reducerOf(fleet);
  let loads = [];
  const prepare = () => {
    traffic.prepare();
    loads = traffic.messages.map((message) => decoder.decode(message).load);
  };
  const run = () => {
    for (let i = 0; i < loads.length; i += 1) events$.next(loads[i]);
    return loads.length;
  };
  deliverAll({ ...traffic, prepare }, run);
  const taken = nanoseconds(effort, { prepare, run });
  check(seen.busy, fleet.busyCount, 'busy workers');
  return taken;
}

/**
 * `reduceFleet` and `busySets` on a fleet whose instances and configs are reported.
 *
 * @param {import('../bench-fleet.js').BenchFleet} fleet
 */
export function reducerOf(fleet) {
  const events$ = new Subject();
  const seen = { busy: 0 };
  events$.pipe(reduceFleet(POLICY, { thresholds: THRESHOLDS }), busySets()).subscribe((busy) => {
    seen.busy = busy.size;
  });
  const ids = idsOf(fleet);
  const first = [
    { kind: 'configs', workers: configsOf(fleet, ids) },
    { kind: 'decodeInstances', added: ids, removed: [], present: new Set(ids) },
  ];
  for (const event of first) events$.next(event);
  return { events$, seen };
}
