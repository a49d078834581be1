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
  | { readonly loads: 'held'; readonly known: 'card'; readonly maximumWorkers: number };

/** How long the request path's own mark on a worker lasts. `maximumMs` is `null` when no time ends it. */
export type RequestMarks =
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
  readonly cardsThatCount: 'all' | 'joined' | 'joined-with-both-roles';
  readonly unknownWorkers: UnknownWorkers;
  readonly instanceLeft: 'stays' | 'not-busy' | 'forgotten' | 'forgotten-with-ranks';
  readonly judgedOn: readonly JudgedOn[];
  readonly requestMarks: RequestMarks;
  readonly reportedDown: 'ignored' | 'as-instance-left' | 'not-a-candidate';
  readonly loadsEnded: 'ends-monitor' | 'loads-stop' | 'stale';
  readonly configsEnded: 'idle' | 'ends-monitor' | 'stale';
  readonly instancesEnded: 'ignored' | 'ends-monitor' | 'stale';
  readonly stop: 'silent' | 'cleans-workers-without-card';
  readonly prefillWatches: 'none' | 'waits' | 'takes-over' | 'takes-over-and-cleans';
  readonly cleanupOnInstanceLeft: CleanupRule;
  readonly cleanupOnCardLeft: CleanupRule;
  readonly cleanupOnRanksLeft: 'none' | 'ranks' | 'ranks-and-every-none';
  readonly wire: WirePolicy;
}
