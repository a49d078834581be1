import { judge } from '../judge.js';
import type { LoadPolicy } from '../load-policy.js';
import type { LoadThresholds } from '../load-thresholds.js';
import type { Transition } from '../transition.js';
import type { Verdict, VerdictReason } from '../verdict.js';
import type { WorkerId } from '../worker-id.js';
import type { RankSnapshot } from './rank-snapshot.js';

/** What a verdict is worked out of: everything as it was when the worker crossed. */
export interface CrossingFacts {
  readonly reason: VerdictReason;
  readonly ranks: RankSnapshot;
  readonly marks: LoadThresholds;
  readonly policy: LoadPolicy;
}

/**
 * One worker crossed. The verdict is worked out when it is first asked for: that costs many times what the crossing
 * does, and most are never read. It is an enumerable property of the transition itself, so that comparing, copying
 * and JSON find it as they would find a plain one.
 */
export class Crossing implements Transition {
  static readonly #verdictProperty: PropertyDescriptor & ThisType<Crossing> = {
    enumerable: true,
    get() {
      return this.#toldVerdict();
    },
  };
  declare readonly verdict: Verdict;
  #facts: CrossingFacts | Verdict;

  constructor(
    readonly workerId: WorkerId,
    readonly busy: boolean,
    readonly at: number,
    facts: CrossingFacts,
  ) {
    this.#facts = facts;
    Object.defineProperty(this, 'verdict', Crossing.#verdictProperty);
  }

  /** The facts are let go with the first telling. */
  #toldVerdict(): Verdict {
    if (!('marks' in this.#facts)) return this.#facts;
    const { ranks, marks, policy, reason } = this.#facts;
    const given = { busy: this.busy, reason, since: this.at };
    return (this.#facts = judge(this.workerId, ranks.states(), marks, policy, given));
  }
}
