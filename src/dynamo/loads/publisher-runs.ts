import type { NotAccountableReason } from '../../wire/loads/load-account.js';

/** How a sequence number relates to the highest one of its sequence. */
export type SequenceClass = 'next' | 'gap' | 'late' | 'restart';

/** A message may be late by this many numbers. */
export const MAX_LATE_NUMBERS = 1024;
/** A message may be late by this many milliseconds of the publisher's clock. */
export const MAX_LATE_MS = 1000;

/**
 * Classifies a sequence number.
 *
 * 1. One above the last is the next; a higher one is a gap.
 * 2. A number that is not above the last is a restart if it is 0 and the last was not, if it was published more than a
 *    second after the last, or if it is more than 1 024 below it.
 * 3. Any other number is late: a duplicate, or reordered, as by publishers that publish from several tasks.
 */
export function classifySequence(
  last: number,
  lastPublishedAt: number,
  sequence: number,
  publishedAt: number,
): SequenceClass {
  if (sequence === last + 1) return 'next';
  if (sequence > last) return 'gap';
  const restarted =
    (sequence === 0 && last > 0) ||
    publishedAt > lastPublishedAt + MAX_LATE_MS ||
    sequence < last - MAX_LATE_NUMBERS;
  return restarted ? 'restart' : 'late';
}

/** The sender of a message whose payload could not be decoded. Senders of loads are 32-bit integers. */
export const UNKNOWN_SENDER = 2 ** 33;
/** The sender of a run whose numbers are shared by several workers or ranks. */
export const ANY_SENDER = 2 ** 34;

/** A gap of up to this many numbers is reported at once. */
export const MAX_PLAIN_GAP = 16;
/** A gap that is not reported at once is reported after this many further messages of its run. */
export const CONFIRMING_MESSAGES = 8;
/** The maximum number of sequences of one publisher that are told apart. */
export const MAX_RUNS = 32;
/** So many late numbers in a row show a second sequence. */
const LATE_IN_A_ROW = 3;

/** Numbers that were not received: `from` to `to`, inclusive. */
export interface MissingNumbers {
  readonly from: number;
  readonly to: number;
  readonly detached: boolean;
  readonly restarted: boolean;
  readonly seenAt: number;
}

/** A message, as far as its number is judged. */
export interface NumberedMessage {
  readonly sender: number;
  readonly sequence: number;
  readonly publishedAt: number;
  /** The number of re-attaches before it. */
  readonly attachment: number;
  /** The index of the message among all messages. */
  readonly stamp: number;
  readonly now: number;
}

/** What the number of a message says about its run; a gap is a `next` with missing numbers. */
export type RunResult = Exclude<SequenceClass, 'gap'> | NotAccountableReason;

/** One sequence of a publisher: numbers that increase by one. */
export class Run {
  /** When its sender's messages paused because another run continued. */
  parkedAt = 0;
  /** Gaps that are not reported yet, because another publisher with the same id would also explain them. */
  readonly held: MissingNumbers[] = [];
  private confirming = 0;
  /** The number that would continue the run if its last large jump was made by another publisher. */
  private skipped = -1;
  /** The number that would continue the run if its last restart was the beginning of another publisher. */
  private abandoned = -Infinity;
  private lateNext = -1;
  private lateInARow = 0;

  constructor(
    /** The worker and rank of its messages, see `senderOf`. */
    public sender: number,
    /** The first number since its last restart. */
    public first: number,
    public last: number,
    public publishedAt: number,
    public attachment: number,
    /** The index of its first message among all messages. */
    public startedAt: number,
  ) {}

  /** Judges the number of a message of this run. Missing numbers that are certain are added to `reported`. */
  add(message: NumberedMessage, reported: MissingNumbers[]): RunResult {
    const { sequence, publishedAt, attachment } = message;
    const verdict = classifySequence(this.last, this.publishedAt, sequence, publishedAt);
    if (sequence <= this.last && this.isOfAnother(sequence, publishedAt)) return 'interleaved';
    if (verdict === 'late') return this.addLate(sequence, publishedAt);
    this.confirm(reported);
    if (verdict === 'gap') this.skip(message, this.last + 1, reported);
    if (verdict === 'restart') {
      if (this.held.length > 0) return 'interleaved';
      this.abandoned = this.last + 1;
      this.first = sequence;
      if (sequence > 0) this.hold(this.missing(message, 0, true));
    }
    this.last = sequence;
    this.publishedAt = publishedAt;
    this.attachment = attachment;
    return verdict === 'restart' ? 'restart' : 'next';
  }

  /** Notes that the numbers from `from` to the one before a message were not received. */
  skip(message: NumberedMessage, from: number, reported: MissingNumbers[]): void {
    const { sequence } = message;
    const gap = this.missing(message, from, false);
    const isLarge = sequence - from > MAX_PLAIN_GAP;
    const isNearAbandoned = Math.abs(sequence - this.abandoned) <= MAX_PLAIN_GAP;
    const isDoubtful = this.held.length > 0 || isNearAbandoned || (isLarge && !gap.detached);
    if (isLarge || isDoubtful) this.skipped = from;
    if (isDoubtful) this.hold(gap);
    else reported.push(gap);
  }

  private missing(
    { sequence, attachment, now: seenAt }: NumberedMessage,
    from: number,
    restarted: boolean,
  ): MissingNumbers {
    return { from, to: sequence - 1, detached: attachment !== this.attachment, restarted, seenAt };
  }

  private hold(gap: MissingNumbers): void {
    if (this.held.length === 0) this.confirming = 0;
    this.held.push(gap);
  }

  /** Counts a message that continues the run, and reports what was held when there are enough of them. */
  private confirm(reported: MissingNumbers[]): void {
    this.confirming += 1;
    if (this.confirming >= CONFIRMING_MESSAGES) reported.push(...this.held.splice(0));
  }

  /**
   * Whether a number that is not above the last one was sent by another publisher: it continues what was there before a
   * doubtful jump, or it is the last number again, published at another time.
   */
  private isOfAnother(sequence: number, publishedAt: number): boolean {
    if (sequence === this.skipped) return true;
    if (sequence > 0 && sequence === this.last && publishedAt !== this.publishedAt) return true;
    return this.held.some(({ from, to }) => sequence >= from && sequence <= to);
  }

  private addLate(sequence: number, publishedAt: number): 'late' | 'interleaved' {
    const isDuplicate = sequence === this.last && publishedAt === this.publishedAt;
    if (isDuplicate) return 'late';
    this.lateInARow = sequence === this.lateNext ? this.lateInARow + 1 : 1;
    this.lateNext = sequence + 1;
    return this.lateInARow >= LATE_IN_A_ROW ? 'interleaved' : 'late';
  }
}

/**
 * The runs of one publisher id, the one of the last message first.
 *
 * 1. A message belongs to the run of its sender. The first message of a sender begins a run, or continues a run that
 *    several senders share.
 * 2. If the number of a sender jumps, and runs that began after its last message fill the gap, the senders share one
 *    sequence: their runs become one.
 * 3. A message without a sender belongs to the run that it continues, or to the only run.
 */
export class PublisherRuns {
  private readonly runs: Run[];

  constructor(first: Run) {
    this.runs = [first];
  }

  /** The run of the last message that was not late. */
  get current(): Run {
    return this.runs[0] as Run;
  }

  /** Judges the number of a message. Missing numbers that are certain are added to `reported`. */
  add(message: NumberedMessage, reported: MissingNumbers[]): RunResult {
    const run = this.runOf(message, reported);
    if (typeof run === 'string') return run;
    if (run !== null && this.isDoubtful(run, message)) return 'interleaved';
    const result = run === null ? 'next' : run.add(message, reported);
    if (result === 'next' || result === 'restart') this.continueWith(run ?? beginRun(message), message.stamp);
    return result;
  }

  /** `null`: the message begins a run. */
  private runOf(message: NumberedMessage, reported: MissingNumbers[]): Run | NotAccountableReason | null {
    const { sender, sequence } = message;
    const continued = this.runs.filter(({ last }) => last + 1 === sequence);
    if (sender === UNKNOWN_SENDER) {
      const [only] = continued.length === 1 ? continued : this.runs;
      return only !== undefined && (continued.length === 1 || this.runs.length === 1) ? only : 'undecodable';
    }
    const own = this.runs.find((run) => run.sender === sender);
    if (own !== undefined) return own.last + 1 === sequence ? own : this.joined(own, message, reported);
    const shared = continued.find((run) => run.sender === ANY_SENDER);
    if (shared !== undefined) return shared;
    const unnamed = continued.find((run) => run.sender === UNKNOWN_SENDER);
    if (unnamed !== undefined) {
      unnamed.sender = sender;
      return unnamed;
    }
    return this.sharedBelow(sequence) ?? this.roomForRun(message, reported);
  }

  /** The run of a sender whose number jumped, or the shared run if the runs of other senders explain the jump. */
  private joined(own: Run, message: NumberedMessage, reported: MissingNumbers[]): Run | NotAccountableReason {
    const { sequence } = message;
    if (own === this.current) return own;
    const since = this.runs.filter(({ startedAt }) => startedAt >= own.parkedAt);
    // The sequence that they share restarted.
    const restarted = since.find(({ last }) => sequence <= own.last && last + 1 === sequence);
    if (restarted !== undefined) return this.share([own, restarted], message, reported);
    const between = since
      .filter(({ last }) => last > own.last && last < sequence)
      .sort((a, b) => a.first - b.first);
    if (between.length === 0) return own;
    const chain: Run[] = [own];
    for (const run of between) if (run.first <= lastOf(chain) + 1) chain.push(run);
    if (lastOf(chain) + 1 === sequence) return this.share(chain, message, reported);
    return isOneSequence(between) ? this.share([own, ...between], message, reported) : 'interleaved';
  }

  /** Whether a message jumps or restarts, and several runs are shared: any of them may have done so. */
  private isDoubtful({ sender, last }: Run, { sequence }: NumberedMessage): boolean {
    if (sender !== ANY_SENDER || (sequence > last && sequence - last <= MAX_PLAIN_GAP + 1)) return false;
    return this.runs.filter((run) => run.sender === ANY_SENDER).length > 1;
  }

  /** The nearest shared run below a number, or any shared run. */
  private sharedBelow(sequence: number): Run | undefined {
    const shared = this.runs.filter(({ sender }) => sender === ANY_SENDER);
    const below = shared.filter(({ last }) => last < sequence).sort((a, b) => b.last - a.last);
    return below[0] ?? shared[0];
  }

  /** Makes room for another run: so many senders are unlikely unless they share one sequence. */
  private roomForRun(
    message: NumberedMessage,
    reported: MissingNumbers[],
  ): Run | NotAccountableReason | null {
    if (this.runs.length < MAX_RUNS) return null;
    const runs = [...this.runs].sort((a, b) => a.startedAt - b.startedAt);
    const isShared = isOneSequence(runs) && lastOf(runs) < message.sequence;
    return isShared ? this.share(runs, message, reported) : 'too-many-sequences';
  }

  /** Replaces runs, in the order of their numbers, by one that all senders share. */
  private share(runs: readonly Run[], message: NumberedMessage, reported: MissingNumbers[]): Run {
    const [oldest] = runs as [Run];
    const target = runs.at(-1) as Run;
    for (const [index, run] of runs.slice(0, -1).entries()) {
      const { first, attachment } = runs[index + 1] as Run;
      if (first > run.last + 1) run.skip({ ...message, sequence: first, attachment }, run.last + 1, reported);
      target.held.push(...run.held);
      this.runs.splice(this.runs.indexOf(run), 1);
    }
    Object.assign(target, { sender: ANY_SENDER, first: oldest.first, startedAt: oldest.startedAt });
    return target;
  }

  private continueWith(run: Run, stamp: number): void {
    const { current } = this;
    if (run === current) return;
    current.parkedAt = stamp;
    const index = this.runs.indexOf(run);
    if (index >= 0) this.runs.splice(index, 1);
    this.runs.unshift(run);
  }
}

function beginRun({ sender, sequence, publishedAt, attachment, stamp }: NumberedMessage): Run {
  return new Run(sender, sequence, sequence, publishedAt, attachment, stamp);
}

function lastOf(runs: readonly Run[]): number {
  return runs.at(-1)?.last ?? 0;
}

/** Whether the numbers of each run are above those of the run before. */
function isOneSequence(runs: readonly Run[]): boolean {
  return runs.every(({ first }, index) => index === 0 || first > (runs[index - 1] as Run).last);
}
