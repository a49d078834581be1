import type { RuntimeConfig } from '../events/fleet-event.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { Problem } from '../sources/problem.js';
import type { WorkerId } from '../worker-id.js';

type EndRule = LoadPolicy['loadsEnded' | 'configsEnded' | 'instancesEnded'];

const consequences = {
  'ends-monitor': 'under this policy the monitor ends too',
  'loads-stop': 'no more loads are applied',
  idle: 'its last value is kept',
  ignored: 'its last value is kept',
  stale: 'its last value is kept and marked stale',
} as const satisfies Record<EndRule, string>;

/** The problems that the reducer finds. */
export const fleetProblems = {
  foreignTopic: (topic: string): Problem => ({
    code: 'foreign-topic',
    source: 'loads',
    text: `ignored a message on topic ${JSON.stringify(topic)}`,
    count: 1,
  }),
  unknownWorker: (workerId: WorkerId): Problem => ({
    code: 'unknown-worker',
    source: 'loads',
    text: `ignored a load of worker ${workerId}: discovery does not know this worker`,
    workerId,
    count: 1,
  }),
  undeclaredRank: (workerId: WorkerId, dpRank: number): Problem => ({
    code: 'undeclared-rank',
    source: 'loads',
    text: `ignored a load of worker ${workerId}: its config does not declare rank ${dpRank}`,
    workerId,
    count: 1,
  }),
  heldWorkerDropped: (workerId: WorkerId, maximum: number): Problem => ({
    code: 'held-worker-dropped',
    source: 'loads',
    text: `more than ${maximum} workers send loads but are unknown to discovery; the loads of worker ${workerId} were discarded`,
    workerId,
    count: 1,
  }),
  rankRange: (workerId: WorkerId, config: RuntimeConfig): Problem => ({
    code: 'rank-range',
    source: 'configs',
    text:
      `the config of worker ${workerId} declares ${config.dataParallelSize ?? 1} ranks from ` +
      `${config.dataParallelStartRank ?? 0}; it does not count until it declares 1 to 4096 ranks that fit 32 bits`,
    workerId,
    count: 1,
  }),
  thresholdOutOfRange: (text: string): Problem => ({
    code: 'threshold-out-of-range',
    source: 'thresholds',
    text,
    count: 1,
  }),
  sourceError: (source: Problem['source'], text?: string): Problem => ({
    code: 'source-error',
    source,
    text: text ?? `the source of ${source} reported an error`,
    count: 1,
  }),
  sourceEnded: (source: Problem['source'], rule: EndRule): Problem => ({
    code: rule === 'stale' ? 'source-stale' : 'source-ended',
    source,
    text: `the source of ${source} ended; ${consequences[rule]}`,
    count: 1,
  }),
} as const;
