import { TidemarkError } from '../errors.js';
import type { LoadPolicy } from './load-policy.js';

const dynamo08 = {
  name: 'dynamo-0.8',
  defaultThresholds: {
    activeDecodeBlocksThreshold: 1,
    activePrefillTokensThreshold: 1_000_000,
    activePrefillTokensThresholdFrac: null,
  },
  batchFractionCheck: 'absent',
  storedFractions: 'ten-thousandths',
  nullThreshold: 'no-change',
  thresholdValidation: 'none',
  decodeSignal: 'active',
  ranksJudged: 'reported',
  rollUp: 'all',
  withoutEvidence: 'free',
  rankRange: 'from-zero',
  capacity: 'merged',
  configsThatCount: 'all',
  unknownWorkers: { loads: 'tracked' },
  instanceLeft: 'stays',
  judgedOn: ['load'],
  overloadMarks: 'ignored',
  reportedDown: 'ignored',
  loadsEnded: 'ends-monitor',
  configsEnded: 'idle',
  instancesEnded: 'ignored',
  stop: 'silent',
  prefillWatches: 'none',
  prefillForModel: 'ignored',
  cleanupOnInstanceLeft: 'none',
  cleanupOnConfigRemoved: 'none',
  cleanupOnRanksLeft: 'none',
  wire: {
    formats: ['active-load-json'],
    positionalFields: [4],
    payloadAsArray: false,
    payloadAsString: false,
  },
} as const satisfies LoadPolicy;

const dynamo10 = {
  ...dynamo08,
  name: 'dynamo-1.0',
  defaultThresholds: {
    activeDecodeBlocksThreshold: 1,
    activePrefillTokensThreshold: 10_000_000,
    activePrefillTokensThresholdFrac: 1.5,
  },
  batchFractionCheck: 'present',
  rankRange: 'wrapping',
  prefillWatches: 'waits',
  cleanupOnInstanceLeft: { types: 'watched', withoutRank: false },
  cleanupOnConfigRemoved: { types: 'both', withoutRank: false },
  wire: { formats: ['envelope'], positionalFields: [4], payloadAsArray: true, payloadAsString: false },
} as const satisfies LoadPolicy;

const dynamo11 = {
  ...dynamo10,
  name: 'dynamo-1.1',
  defaultThresholds: {
    activeDecodeBlocksThreshold: 1,
    activePrefillTokensThreshold: 10_000_000,
    activePrefillTokensThresholdFrac: 10,
  },
  storedFractions: 'exact',
  decodeSignal: 'latched',
  cleanupOnInstanceLeft: { types: 'watched', withoutRank: true },
  cleanupOnConfigRemoved: { types: 'both', withoutRank: true },
  wire: { formats: ['envelope'], positionalFields: [4, 5], payloadAsArray: true, payloadAsString: false },
} as const satisfies LoadPolicy;

const dynamo14 = {
  ...dynamo11,
  name: 'dynamo-1.4',
  defaultThresholds: {
    activeDecodeBlocksThreshold: null,
    activePrefillTokensThreshold: null,
    activePrefillTokensThresholdFrac: null,
  },
  thresholdValidation: 'first-problem',
  configsThatCount: 'joined',
  prefillForModel: 'needed-while-registered',
  unknownWorkers: { loads: 'dropped', known: 'instance' },
  instanceLeft: 'not-busy',
  judgedOn: ['load', 'configs'],
  overloadMarks: { until: 'publication', maximumMs: null },
  loadsEnded: 'loads-stop',
  configsEnded: 'ends-monitor',
  prefillWatches: 'takes-over',
  wire: { formats: ['envelope'], positionalFields: [4, 5], payloadAsArray: false, payloadAsString: true },
} as const satisfies LoadPolicy;

const dynamo16 = {
  ...dynamo14,
  name: 'dynamo-1.6',
  ranksJudged: 'declared',
  rankRange: 'checked',
  capacity: 'reconciled',
  instanceLeft: 'forgotten',
  judgedOn: ['load', 'schedulerLoads', 'configs'],
  overloadMarks: { until: 'publication', maximumMs: 1000 },
  reportedDown: 'as-instance-left',
  instancesEnded: 'ends-monitor',
  stop: 'cleans-workers-without-config',
  prefillWatches: 'none',
  cleanupOnInstanceLeft: { types: 'own', withoutRank: true },
  cleanupOnConfigRemoved: { types: 'own', withoutRank: true },
  cleanupOnRanksLeft: 'ranks-and-every-none',
  wire: { formats: ['envelope'], positionalFields: [5], payloadAsArray: false, payloadAsString: true },
} as const satisfies LoadPolicy;

const tidemark = {
  ...dynamo16,
  name: 'default',
  nullThreshold: 'off',
  thresholdValidation: 'all-problems',
  decodeSignal: 'used-else-active',
  withoutEvidence: 'unknown',
  rankRange: 'checked-and-reported',
  configsThatCount: 'joined-with-both-roles',
  unknownWorkers: { loads: 'held', known: 'config', maximumWorkers: 10_000 },
  instanceLeft: 'forgotten-with-ranks',
  judgedOn: ['load', 'schedulerLoads', 'configs', 'instances', 'thresholds'],
  overloadMarks: { until: 'own-load', maximumMs: 1000 },
  reportedDown: 'not-a-candidate',
  loadsEnded: 'stale',
  configsEnded: 'stale',
  instancesEnded: 'stale',
  stop: 'silent',
  prefillWatches: 'takes-over-and-cleans',
  cleanupOnInstanceLeft: { types: 'known', withoutRank: true },
  cleanupOnConfigRemoved: { types: 'known', withoutRank: true },
  cleanupOnRanksLeft: 'ranks',
  wire: {
    formats: ['envelope', 'active-load-json', 'load-event-json'],
    positionalFields: [4, 5],
    payloadAsArray: true,
    payloadAsString: true,
  },
} as const satisfies LoadPolicy;

/**
 * The table of policies. Five rows decide exactly as releases of Dynamo do, mistakes included. `default` is tidemark's own
 * policy: it makes the same checks without those mistakes.
 *
 * @see {@link LoadPolicy}, {@link policyCells}, {@link policyNamed}
 */
export const policies = {
  'dynamo-0.8': dynamo08,
  'dynamo-1.0': dynamo10,
  'dynamo-1.1': dynamo11,
  'dynamo-1.4': dynamo14,
  'dynamo-1.6': dynamo16,
  default: tidemark,
} as const satisfies Record<string, LoadPolicy>;

/** A name in the table {@link policies}. */
export type PolicyName = keyof typeof policies;

/** A name that is not in the table of policies. */
export class UnknownPolicyError extends TidemarkError {
  override readonly name = 'UnknownPolicyError';

  constructor(readonly given: string) {
    super(
      'unknown-policy',
      `There is no policy ${JSON.stringify(given)}: choose one of ${Object.keys(policies).join(', ')}.`,
    );
  }
}

/**
 * Looks up a policy in the table {@link policies}.
 *
 * @throws UnknownPolicyError, which lists the names in the table
 */
export function policyNamed(name: string): LoadPolicy {
  const policy: LoadPolicy | undefined = Object.hasOwn(policies, name)
    ? policies[name as keyof typeof policies]
    : undefined;
  if (policy === undefined) throw new UnknownPolicyError(name);
  return policy;
}
