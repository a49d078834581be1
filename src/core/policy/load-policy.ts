import type { LoadThresholds } from './load-thresholds.js';

/** The kinds of event after which busy workers are judged anew and the result is handed out. */
export type JudgedOn = 'load' | 'schedulerLoads' | 'configs' | 'instances' | 'thresholds';

/**
 * How the busy ranks of a worker make the worker busy: every judged rank, one of them, or at least `atLeast` of
 * them (of all judged ranks, when there are fewer).
 */
export type RollUp = 'all' | 'any' | { readonly atLeast: number };

/** What becomes of the load of a worker that discovery does not know. */
export type UnknownWorkers =
  | { readonly loads: 'tracked' }
  | { readonly loads: 'dropped'; readonly known: 'instance' }
  | { readonly loads: 'held'; readonly known: 'config'; readonly maximumWorkers: number };

/** How long the request path's own mark on a worker lasts. `maximumMs` is `null` when no time ends it. */
export type OverloadMarks =
  | 'ignored'
  | { readonly until: 'publication'; readonly maximumMs: number | null }
  | { readonly until: 'own-load'; readonly maximumMs: number };

/**
 * The metric series that a departure drops.
 *
 * `types`: the type of the watch that the worker left (`watched`), decode and prefill (`both`), the type of the
 * monitored endpoint (`own`), or the types under which the worker was known (`known`). `withoutRank`: also the
 * latency series that carry the rank `"none"`.
 */
export type CleanupRule =
  'none' | { readonly types: 'watched' | 'both' | 'own' | 'known'; readonly withoutRank: boolean };

/** What a release accepts as one load message. */
export interface WirePolicy {
  /** The formats that are read; more than one are told apart by the first byte. */
  readonly formats: readonly LoadFormat[];
  /** How many elements an `ActiveLoad` written as an array may have. */
  readonly positionalFields: readonly number[];
  /** Whether an envelope's payload may be an array of integers. */
  readonly payloadAsArray: boolean;
  /** Whether an envelope's payload may be a string. */
  readonly payloadAsString: boolean;
}

/** A format of load messages: the MessagePack envelope of 0.9 and later, and the two JSON forms before it. */
export type LoadFormat = 'envelope' | 'active-load-json' | 'load-event-json';

/**
 * The rules of judgement as plain data: one cell for each property in which generations of Dynamo, or a user's
 * own wishes, differ. {@link policyCells} says in a sentence what each cell decides.
 *
 * A policy of your own is a row of {@link policies} with some cells changed.
 *
 * @example
 * ```ts
 * import { policies, type LoadPolicy } from 'tidemark';
 *
 * const anyRank: LoadPolicy = { ...policies.default, name: 'any-rank', rollUp: 'any' };
 * console.log(anyRank.rollUp);
 * // Logs: any
 * ```
 *
 * @see {@link policies}, {@link isBusy}
 */
export interface LoadPolicy {
  readonly name: string;
  readonly defaultThresholds: LoadThresholds;
  readonly batchFractionCheck: 'absent' | 'present';
  readonly storedFractions: 'exact' | 'ten-thousandths';
  readonly nullThreshold: 'no-change' | 'off';
  readonly thresholdValidation: 'none' | 'first-problem' | 'all-problems';
  readonly decodeSignal: 'active' | 'latched' | 'used-else-active';
  readonly ranksJudged: 'reported' | 'declared';
  readonly rollUp: RollUp;
  readonly rankRange: 'from-zero' | 'wrapping' | 'checked' | 'checked-and-reported';
  readonly capacity: 'merged' | 'reconciled';
  readonly configsThatCount: 'all' | 'joined' | 'joined-with-both-roles';
  readonly unknownWorkers: UnknownWorkers;
  readonly instanceLeft: 'stays' | 'not-busy' | 'forgotten' | 'forgotten-with-ranks';
  readonly judgedOn: readonly JudgedOn[];
  readonly overloadMarks: OverloadMarks;
  readonly reportedDown: 'ignored' | 'as-instance-left' | 'not-a-candidate';
  readonly loadsEnded: 'ends-monitor' | 'loads-stop' | 'stale';
  readonly configsEnded: 'idle' | 'ends-monitor' | 'stale';
  readonly instancesEnded: 'ignored' | 'ends-monitor' | 'stale';
  readonly stop: 'silent' | 'cleans-workers-without-config';
  readonly prefillWatches: 'none' | 'waits' | 'takes-over' | 'takes-over-and-cleans';
  readonly cleanupOnInstanceLeft: CleanupRule;
  readonly cleanupOnConfigRemoved: CleanupRule;
  readonly cleanupOnRanksLeft: 'none' | 'ranks' | 'ranks-and-every-none';
  readonly wire: WirePolicy;
}

/**
 * One sentence for each cell of a {@link LoadPolicy} on what it decides, in the order of the table.
 */
export const policyCells = {
  defaultThresholds:
    'Which marks hold, as decode fraction / prefill tokens / fraction of the batch limit, when none was set.',
  batchFractionCheck: 'Whether prefill tokens are also compared with a fraction of the batch limit.',
  storedFractions: 'Whether a fraction is kept exactly or cut to 1/10000.',
  nullThreshold: 'What setting a mark to null does.',
  thresholdValidation: 'Whether marks set at run time are checked, and how many of their problems are told.',
  decodeSignal:
    'Which block count is compared: active blocks, both signals through a latch, or used blocks where reported.',
  ranksJudged:
    'Whether the ranks a card declares are judged, silent ones as free, or only those that reported.',
  rollUp: 'How many judged ranks must be busy for the worker to be busy.',
  rankRange: 'Which ranks a card declares, and what an impossible range means.',
  capacity: 'Whether a new card of a living worker adds to its capacities or replaces all of them.',
  configsThatCount: 'Whether a card needs an instance to count.',
  unknownWorkers: 'What becomes of loads of a worker that is not known, and what makes it known.',
  instanceLeft: 'What is forgotten when a worker leaves the instances.',
  judgedOn: 'Which kinds of event judge workers anew and hand out the result.',
  overloadMarks: 'Whether the request path may mark a worker busy, and what ends the mark.',
  reportedDown: 'What a report that a worker is down does.',
  loadsEnded: 'What the end of the load source does.',
  configsEnded: 'What the end of the card source does.',
  instancesEnded: 'What the end of the instance source does.',
  stop: 'What a stop cleans up.',
  prefillWatches: 'What a second watch on prefill instances does while one is open.',
  cleanupOnInstanceLeft: 'Which metric series are dropped when a worker leaves the instances.',
  cleanupOnConfigRemoved: 'Which metric series are dropped when a worker loses its card.',
  cleanupOnRanksLeft: 'Which metric series are dropped when a card changes.',
  wire: 'Which load messages are read: formats, lengths of a positional load, forms of an envelope’s payload.',
} as const satisfies Record<Exclude<keyof LoadPolicy, 'name'>, string>;
