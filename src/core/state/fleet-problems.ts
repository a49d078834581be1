import type { RuntimeConfig } from '../events/fleet-event.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { Problem } from '../sources/problem.js';
import type { WorkerId } from '../worker-id.js';

type EndRule = LoadPolicy['loadsEnded' | 'configsEnded' | 'instancesEnded'];

const consequences = {
  'ends-monitor': 'which ends the monitor under this policy',
  'loads-stop': 'no more loads come from it',
  idle: 'its last word stays',
  ignored: 'its last word stays',
  stale: 'its last word stays and is stale',
} as const satisfies Record<EndRule, string>;

/** The problems that the rules know, each with its sentence. */
export const fleetProblems = {
  foreignTopic: (topic: string): Problem => ({
    code: 'foreign-topic',
    source: 'loads',
    text: `a message on topic ${JSON.stringify(topic)} is not for us`,
    count: 1,
  }),
  unknownWorker: (workerId: WorkerId): Problem => ({
    code: 'unknown-worker',
    source: 'loads',
    text: `a load of worker ${workerId} was dropped: discovery does not know that worker`,
    workerId,
    count: 1,
  }),
  undeclaredRank: (workerId: WorkerId, dpRank: number): Problem => ({
    code: 'undeclared-rank',
    source: 'loads',
    text: `a load of worker ${workerId} was dropped: its card does not declare rank ${dpRank}`,
    workerId,
    count: 1,
  }),
  heldWorkerDropped: (workerId: WorkerId, maximum: number): Problem => ({
    code: 'held-worker-dropped',
    source: 'loads',
    text: `more than ${maximum} workers report that discovery does not know; the loads of worker ${workerId} were dropped`,
    workerId,
    count: 1,
  }),
  rankRange: (workerId: WorkerId, card: RuntimeConfig): Problem => ({
    code: 'rank-range',
    source: 'configs',
    text:
      `the card of worker ${workerId} declares ${card.dataParallelSize ?? 1} ranks from ` +
      `${card.dataParallelStartRank ?? 0}; it does not count until it declares 1 to 4096 that fit 32 bits`,
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
