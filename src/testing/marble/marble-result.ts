import type { Marble, MarbleMark, MarbleStream } from './marble.js';

/** What came out of an operator at one moment of virtual time. */
export interface MarbleEmission {
  /** In milliseconds. */
  readonly at: number;
  readonly kind: MarbleMark['kind'];
  readonly value: unknown;
  /** The value at that moment: as a binding would say it, and the same with keys in order. */
  readonly text: string;
  readonly canonical: string;
}

/** One subscription to an input, in milliseconds. `to` is `null` when it did not end. */
export interface SubscriptionTimes {
  readonly from: number;
  readonly to: number | null;
}

/** One expected row, with what came. It holds when there are no reasons why not. */
export interface OutputResult {
  readonly stream: MarbleStream;
  readonly emissions: readonly MarbleEmission[];
  readonly reasons: readonly string[];
}

/** The subscription rows of one input, with the subscriptions there were. */
export interface SubscriptionsResult {
  readonly stream: MarbleStream;
  readonly subscriptions: readonly SubscriptionTimes[];
  readonly reasons: readonly string[];
}

/** What running a marble file came to. */
export interface MarbleResult {
  readonly marble: Marble;
  readonly passed: boolean;
  readonly outputs: readonly OutputResult[];
  readonly subscriptions: readonly SubscriptionsResult[];
  /** What is wrong with the run as a whole, such as real time in the code under test. */
  readonly reasons: readonly string[];
}
