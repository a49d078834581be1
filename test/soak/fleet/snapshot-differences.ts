import type { LoadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import type { FleetWorker } from './fleet-worker.js';
import { THRESHOLD } from './worker-plan.js';

/** The actual state of a worker. */
type ActualWorker = Pick<FleetWorker, 'plan' | 'blocks' | 'busy'>;

/** The differences between a monitor's state and the actual workers, in words. Empty if there are none. */
export function findSnapshotDifferences(monitor: LoadMonitor, workers: readonly ActualWorker[]): string[] {
  const snapshot = monitor.snapshot();
  if (snapshot === undefined) return ['the monitor has ended'];
  const { busy, fleet, status } = snapshot;
  const ids = (all: Iterable<string>): string => [...all].sort().join(', ') || 'none';
  const seen = ids(busy);
  const truth = ids(workers.filter((worker) => worker.busy).map(({ plan }) => plan.workerId));
  return [
    ...status.filter(({ state }) => state !== 'live').map(({ source, state }) => `${source} is ${state}`),
    ...(fleet.instances === workers.length
      ? []
      : [`the monitor has ${fleet.instances} workers instead of ${workers.length}`]),
    ...(seen === truth ? [] : [`busy workers are ${seen} instead of ${truth}`]),
    ...workers.flatMap((worker) => findWorkerDifferences(monitor, worker)),
  ];
}

/** Compares whether a worker is known, the last values of its ranks, and the limit from its config. */
function findWorkerDifferences(monitor: LoadMonitor, { plan, blocks }: ActualWorker): string[] {
  const { workerId, totalKvBlocks } = plan;
  const explanation = monitor.explain(workerId);
  if (explanation?.known !== true) return [`worker ${workerId} is unknown`];
  const limit = THRESHOLD * totalKvBlocks;
  return blocks.flatMap((value, rank) => {
    const checks = explanation.ranks.find((explained) => explained.rank === rank)?.checks ?? [];
    const made = checks.find(({ standing }) => standing === 'above' || standing === 'within');
    const [seen, truth] = [`${made?.value} of ${made?.limit}`, `${value} of ${limit}`];
    return seen === truth ? [] : [`worker ${workerId}, rank ${rank}: ${seen} instead of ${truth}`];
  });
}
