import { FleetLoad, loadMonitor } from 'tidemark';
import { BehaviorSubject, Subject } from 'rxjs';
import { configsOf, idsOf, POLICY, THRESHOLDS } from './bench-fleet.js';

/**
 * A state that knows the instances and configs of a fleet, and no load yet.
 *
 * @param {import('./bench-fleet.js').BenchFleet} fleet
 */
export function stateOf(fleet) {
  const state = new FleetLoad(POLICY, { thresholds: THRESHOLDS });
  const ids = idsOf(fleet);
  state.apply({ kind: 'configs', workers: configsOf(fleet, ids) }, 0);
  state.apply({ kind: 'decodeInstances', added: ids, removed: [], present: new Set(ids) }, 0);
  return state;
}

/**
 * A connected monitor that knows the instances and configs of a fleet, with its source of loads and the last value of
 * `busy$`.
 *
 * @param {import('./bench-fleet.js').BenchFleet} fleet
 */
export function monitorOf(fleet) {
  const loads = new Subject();
  const ids = idsOf(fleet);
  const monitor = loadMonitor(
    {
      configs: new BehaviorSubject(configsOf(fleet, ids)),
      decodeInstances: new BehaviorSubject(ids),
      loads,
    },
    { policy: POLICY, thresholds: THRESHOLDS },
  );
  const seen = { busy: 0 };
  monitor.busy$.subscribe((busy) => {
    seen.busy = busy.size;
  });
  monitor.connect();
  return { loads, seen, monitor };
}

/**
 * Fails if a case did not do the work that it measures.
 *
 * @param {number} found
 * @param {number} wanted
 * @param {string} what
 */
export function check(found, wanted, what) {
  if (found !== wanted) throw new Error(`${what}: ${found} instead of ${wanted}`);
}

/**
 * Runs bursts until every rank of the fleet has reported once.
 *
 * @param {{ bursts: number, prepare: () => void }} traffic
 * @param {() => number} run
 */
export function deliverAll({ bursts, prepare }, run) {
  for (let i = 0; i < bursts; i += 1) {
    prepare();
    run();
  }
}
