import type { LoadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import { MARK, type FleetWorker } from './fleet-worker.js';

/** A worker as it truly is. */
type TrueWorker = Pick<FleetWorker, 'plan' | 'blocks' | 'busy'>;

/** Where what a monitor sees differs from the workers that are there, in words; empty is right. */
export function wrongView(monitor: LoadMonitor, workers: readonly TrueWorker[]): string[] {
  const snapshot = monitor.snapshot();
  if (snapshot === undefined) return ['the monitor has ended'];
  const { busy, fleet, status } = snapshot;
  const ids = (all: Iterable<string>): string => [...all].sort().join(', ') || 'nobody';
  const seen = ids(busy);
  const truth = ids(workers.filter((worker) => worker.busy).map(({ plan }) => plan.workerId));
  return [
    ...status.filter(({ state }) => state !== 'live').map(({ source, state }) => `${source} is ${state}`),
    ...(fleet.instances === workers.length
      ? []
      : [`${fleet.instances} workers are seen, and ${workers.length} are there`]),
    ...(seen === truth ? [] : [`busy are ${truth}; seen as busy are ${seen}`]),
    ...workers.flatMap((worker) => wrongWorker(monitor, worker)),
  ];
}

/** Whether a worker is known, what its ranks said last, and which limit its card gives it. */
function wrongWorker(monitor: LoadMonitor, { plan, blocks }: TrueWorker): string[] {
  const { workerId, totalKvBlocks } = plan;
  const explanation = monitor.explain(workerId);
  if (explanation?.known !== true) return [`worker ${workerId} is not known`];
  const limit = MARK * totalKvBlocks;
  return blocks.flatMap((value, rank) => {
    const checks = explanation.ranks.find((one) => one.rank === rank)?.checks ?? [];
    const made = checks.find(({ standing }) => standing === 'above' || standing === 'within');
    const [seen, truth] = [`${made?.value} of ${made?.limit}`, `${value} of ${limit}`];
    return seen === truth ? [] : [`worker ${workerId}, rank ${rank}: seen is ${seen}, true is ${truth}`];
  });
}
