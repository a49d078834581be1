import type { DecodeErrorCode } from '../decode-error.js';

/** What came over one subscription, in numbers: plain data that never changes. See {@link LoadAccounting}. */
export interface LoadAccount {
  /** Grows with every change, so that two accounts of one version say the same. */
  readonly version: number;
  /** All messages: `loads`, `failed` and `foreign.messages` together. */
  readonly messages: number;
  readonly bytes: number;
  readonly loads: number;
  /** Loads without a publisher and a number, such as JSON of 0.8: no gap between them can be seen. */
  readonly withoutHeader: number;
  readonly failed: number;
  /** Only the codes that occurred. */
  readonly failures: Readonly<Partial<Record<DecodeErrorCode, number>>>;
  readonly foreign: ForeignAccount;
  /** Over all publishers, also those forgotten since. */
  readonly sequences: SequenceAccount;
  readonly publishers: PublisherCounts;
  readonly detached: DetachedAccount;
  /** Of the messages since the interval began; `null` when there was none with a head. */
  readonly age: AgeAccount | null;
  /** Gaps that nobody took in time: they are counted in `sequences`, their places are lost. */
  readonly gapsDropped: number;
}

/** Well-formed messages of other topics. */
export interface ForeignAccount {
  readonly messages: number;
  /** The topics that came first. */
  readonly topics: readonly { readonly topic: string; readonly messages: number }[];
  /** Messages of all topics after those. */
  readonly otherTopics: number;
}

/** What the running numbers of publishers say. No count ever falls. */
export interface SequenceAccount {
  /** Numbers that were not there when a higher one came. */
  readonly missing: number;
  /** Those of `missing` in gaps over a detached interval. */
  readonly missingDetached: number;
  readonly gaps: number;
  /** Messages whose number was not above one that had come: reordered or twice, which cannot be told apart. */
  readonly late: number;
  readonly restarts: number;
}

/** How many publishers there are. */
export interface PublisherCounts {
  readonly known: number;
  /** Publishers that were forgotten: the longest silent above the limit, and by `forgetSilent`. */
  readonly forgotten: number;
  /** Known publishers of which nothing came since the last re-attach. */
  readonly unjudged: number;
  /** Whether there are unjudged ones: what was lost while detached is not fully counted yet. */
  readonly gap: boolean;
}

/** Intervals without a subscription, monotonic milliseconds. */
export interface DetachedAccount {
  readonly times: number;
  readonly milliseconds: number;
  /** The last one. */
  readonly last: { readonly from: number; readonly until: number } | null;
}

/** Wall time of receipt less `publishedAt`, milliseconds. It compares two clocks: information, no measure. */
export interface AgeAccount {
  readonly messages: number;
  readonly min: number;
  readonly last: number;
  readonly max: number;
  /** Messages with an age below 0: clocks disagree, by `-min` at least. */
  readonly skewed: number;
}

/** What came of one publisher. */
export interface PublisherAccount extends SequenceAccount {
  /** An unsigned 64-bit integer, in decimal. */
  readonly publisherId: string;
  /** All messages, late ones included. */
  readonly received: number;
  /** The number with which the account began: what was published before it is not accounted for. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Monotonic milliseconds. */
  readonly lastReceivedAt: number;
  /** The publisher's wall clock, Unix milliseconds. */
  readonly lastPublishedAt: number;
  /** Nothing came since the last re-attach. */
  readonly gap: boolean;
}

/** Numbers of a publisher that did not come: `from` to `to`, both included. */
export interface SequenceGap {
  /** An unsigned 64-bit integer, in decimal. */
  readonly publisherId: string;
  readonly from: number;
  readonly to: number;
  readonly missing: number;
  /** A detached interval lies between the messages before and after the gap. */
  readonly detached: boolean;
  /** The publisher began again at 0 and its first numbers are missing; how the run before ended is unknown. */
  readonly restarted: boolean;
  /** When the gap was seen, monotonic milliseconds. */
  readonly seenAt: number;
}
