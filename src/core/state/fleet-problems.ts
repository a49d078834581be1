import type { RuntimeConfig } from '../events/fleet-event.js';
import type { UnknownReason } from '../judgement/worker-state.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholds } from '../policy/load-thresholds.js';
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

const unknownProblems = {
  'not-heard': {
    code: 'worker-not-heard',
    source: 'loads',
    why: 'no load has arrived from ranks that count; check that the workers publish loads',
  },
  'not-known': {
    code: 'worker-not-known',
    source: 'configs',
    why: 'discovery lacks a config or an instance, so nothing is judged; check that the model cards are registered',
  },
  'no-capacity': {
    code: 'no-capacity',
    source: 'configs',
    why: 'without total KV blocks in the config, or with 0, blocks cannot be compared; set a threshold of prefill tokens, or correct the model card',
  },
  'no-signal': {
    code: 'no-signal',
    source: 'loads',
    why: 'the loads lack the value that a set threshold compares; set a threshold for a value that they have',
  },
  'no-threshold': {
    code: 'no-threshold',
    source: 'thresholds',
    why: 'no threshold is set, so no load makes a worker busy or free; set one, such as activeDecodeBlocksThreshold',
  },
} as const satisfies Record<UnknownReason, Pick<Problem, 'code' | 'source'> & { readonly why: string }>;

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
    text: `ignored a load of worker ${workerId}: it has no instance that this monitor watches`,
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
  tooManyThresholds: (workerId: WorkerId, maximum: number): Problem => ({
    code: 'too-many-thresholds',
    source: 'thresholds',
    text: `${maximum} workers have thresholds of their own, which is the maximum; ignored those of worker ${workerId}`,
    workerId,
    count: 1,
  }),
  unknownWorkers: (reason: UnknownReason, workerId: WorkerId, count: number): Problem => {
    const { code, source, why } = unknownProblems[reason];
    const who =
      count === 1 ? `worker ${workerId} is unknown` : `${count} workers are unknown, such as ${workerId}`;
    return { code, source, text: `${who}: ${why}`, workerId, count };
  },
  signalMissing: (
    threshold: keyof LoadThresholds,
    compared: readonly string[],
    policy: string,
    arriving: readonly string[],
    hasPolicy: boolean,
  ): Problem => ({
    code: 'signal-missing',
    source: 'loads',
    text:
      `${threshold} has no effect: no load has ${compared.join(' or ')}, which policy ${policy} compares; ` +
      `the loads have ${arriving.length > 0 ? arriving.join(' and ') : 'no values'}; ` +
      (hasPolicy
        ? 'use the policy default or dynamo-1.6, which compares it'
        : 'this fleet does not publish it, so set another threshold'),
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
