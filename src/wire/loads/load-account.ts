import type { DecodeErrorCode } from '../decode-error.js';

/** The messages of one subscription in numbers: immutable plain data. See {@link LoadAccounting}. */
export interface LoadAccount {
  /** Increases with every change: accounts with the same version are equal. */
  readonly version: number;
  /** All messages: `loads`, `failed` and `foreign.messages` together. */
  readonly messages: number;
  readonly bytes: number;
  readonly loads: number;
  /** Loads without a publisher and a sequence number, such as JSON of 0.8: their gaps cannot be detected. */
  readonly withoutHeader: number;
  readonly failed: number;
  /** Failures by code; only codes that occurred. */
  readonly failures: Readonly<Partial<Record<DecodeErrorCode, number>>>;
  readonly foreign: ForeignAccount;
  /** The sums over all publishers, including forgotten ones. */
  readonly sequences: SequenceAccount;
  readonly publishers: PublisherCounts;
  readonly detached: DetachedAccount;
  /** The ages in the current interval; `null` if no message with a header was received. */
  readonly age: AgeAccount | null;
  /** Gaps that were not taken in time: counted in `sequences`, but without details. */
  readonly gapsDropped: number;
}

/** Well-formed messages of other topics. */
export interface ForeignAccount {
  readonly messages: number;
  /** The first topics received, at most 16. */
  readonly topics: readonly { readonly topic: string; readonly messages: number }[];
  /** Messages of all other topics. */
  readonly otherTopics: number;
}

/**
 * The results of the sequence numbers of publishers. `missing`, `missingDetached` and `gaps` decrease only when a
 * publisher becomes not accountable: they do not include it.
 */
export interface SequenceAccount {
  /** Numbers that had not been received when a higher one was. */
  readonly missing: number;
  /** The part of `missing` in gaps that span a detached interval. */
  readonly missingDetached: number;
  readonly gaps: number;
  /** Messages whose number was not above the last one: reordered or duplicate, which cannot be distinguished. */
  readonly late: number;
  readonly restarts: number;
}

/** The numbers of publishers. */
export interface PublisherCounts {
  readonly known: number;
  /** Publishers that were forgotten, by `forgetSilent` or because of the limit. */
  readonly forgotten: number;
  /** Known publishers without a message since the last re-attach. */
  readonly unjudged: number;
  /** Whether `unjudged` is above 0: the loss while detached is not fully counted yet. */
  readonly gap: boolean;
  /** Known publishers whose losses cannot be known, see {@link PublisherAccount.notAccountable}. */
  readonly notAccountable: number;
}

/**
 * Why the losses of a publisher cannot be known. The codes are stable.
 *
 * - `interleaved`: numbers went back and continued an earlier sequence, so several publishers use the id.
 * - `too-many-sequences`: more sequences than can be told apart use the id.
 * - `undecodable`: several sequences use the id, and a message that could not be decoded may belong to any of them.
 */
export type NotAccountableReason = 'interleaved' | 'too-many-sequences' | 'undecodable';

/** Publishers that became not accountable, with the first of them as an example. */
export interface NotAccountableReport {
  readonly count: number;
  /** An unsigned 64-bit integer, in decimal. */
  readonly publisherId: string;
  readonly reason: NotAccountableReason;
}

/** Intervals without a subscription, in monotonic milliseconds. */
export interface DetachedAccount {
  readonly times: number;
  readonly milliseconds: number;
  /** The last interval. */
  readonly last: { readonly from: number; readonly until: number } | null;
}

/** The wall time of receipt minus `publishedAt`, in milliseconds. It compares two clocks, so it is only a hint. */
export interface AgeAccount {
  readonly messages: number;
  readonly min: number;
  readonly last: number;
  readonly max: number;
  /** Messages with a negative age: the clocks differ by at least `-min`. */
  readonly skewed: number;
}

/** The messages of one publisher. */
export interface PublisherAccount extends SequenceAccount {
  /** An unsigned 64-bit integer, in decimal. */
  readonly publisherId: string;
  /** All messages, late ones included. */
  readonly received: number;
  /** The first number received: earlier messages are not accounted for. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Monotonic milliseconds. */
  readonly lastReceivedAt: number;
  /** The publisher's wall clock, Unix milliseconds. */
  readonly lastPublishedAt: number;
  /** Whether no message was received since the last re-attach. */
  readonly gap: boolean;
  /** Why its losses cannot be known: nothing of it is counted as missing. `null`: it is accountable. */
  readonly notAccountable: NotAccountableReason | null;
}

/** Numbers of a publisher that were not received: `from` to `to`, inclusive. */
export interface SequenceGap {
  /** An unsigned 64-bit integer, in decimal. */
  readonly publisherId: string;
  readonly from: number;
  readonly to: number;
  readonly missing: number;
  /** Whether a detached interval lies between the messages before and after the gap. */
  readonly detached: boolean;
  /** Whether the publisher restarted at 0 and its first numbers are missing. The end of its previous run is unknown. */
  readonly restarted: boolean;
  /** When the gap was detected, in monotonic milliseconds. */
  readonly seenAt: number;
}
