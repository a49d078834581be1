import type { TimestampProvider } from 'rxjs';
import { wallTime } from '../adapters/clock/wall-time.js';
import type { Problem } from '../core/sources/problem.js';
import type { SourceStatus } from '../core/sources/source-status.js';
import type { Transition } from '../core/state/fleet-step.js';
import { stringifyJson } from '../wire/json/json-value.js';
import type { SequenceGap } from '../wire/loads/load-account.js';
import type { Terminal } from './terminal.js';

/** The status of a source or of a registration. */
export type ReportedStatus = Omit<SourceStatus, 'state'> & { readonly state: string };

/** The text of a summary that says which workers are busy. */
export function busyText(busy: readonly string[]): string {
  return busy.length === 0 ? 'no worker is busy' : `busy: ${busy.join(', ')}`;
}

const MAX_GAPS = 5;
const MAX_REASONS = 20;
const sourceNames: Readonly<Record<string, string>> = {
  loads: 'loads (NATS)',
  discovery: 'discovery (etcd)',
  publisher: 'publishers (NATS)',
  scrape: 'scrapes (NATS)',
};

/**
 * Prints what happens while a live fleet is watched. Results go to standard output, everything else to standard error.
 * As JSON, everything goes to standard output, as one object per line with its `kind`. Times are wall-clock
 * times, computed from the clock when they are printed.
 */
export class LiveReport {
  private readonly reported = new Map<string, { readonly state: string; readonly reasons: Set<string> }>();

  constructor(
    private readonly terminal: Terminal,
    private readonly json: boolean,
    private readonly clock: TimestampProvider,
  ) {}

  /** Says what starts. The text goes to standard error in both forms. */
  start(text: string, details: object): void {
    this.terminal.err(text);
    if (this.json) this.object('began', this.clock.now(), details);
  }

  transition({ at, workerId, busy, verdict }: Transition): void {
    const { reason, ranks, text } = verdict;
    if (this.json) this.object('transition', at, { workerId, busy, reason, ranks, text });
    else this.terminal.out(`${this.time(at)}  ${busy ? '▲' : '▽'} ${text}`);
  }

  /** Prints a status when its state changes or has a new reason. Repeated attempts are printed once. */
  status(status: ReportedStatus): void {
    const { source, state, since, why = '', retryInMs } = status;
    const before = this.reported.get(source);
    if (before?.state !== state) this.reported.set(source, { state, reasons: new Set([why]) });
    else if (before.reasons.has(why) || before.reasons.size === MAX_REASONS) return;
    else before.reasons.add(why);
    if (this.json) {
      this.object('status', this.clock.now(), {
        ...status,
        since: wallTime(this.clock, since).toISOString(),
      });
      return;
    }
    const reason = why === '' ? '' : `: ${why}`;
    const retry = retryInMs === undefined ? '' : ` Next try in ${Math.round(retryInMs)} ms.`;
    const from = state === before?.state ? ` since ${this.time(since)}` : '';
    this.note(`${sourceNames[source] ?? source}: ${state}${from}${reason}${retry}`);
  }

  problem(problem: Problem): void {
    const { code, text, count } = problem;
    if (this.json) this.object('problem', this.clock.now(), problem);
    else this.note(`${code}: ${text}${count > 1 ? ` (${count} times)` : ''}`);
  }

  gaps(gaps: readonly SequenceGap[]): void {
    if (this.json) {
      for (const { seenAt, ...gap } of gaps) this.object('gap', seenAt, gap);
      return;
    }
    for (const { publisherId, from, to, missing, detached, restarted } of gaps.slice(0, MAX_GAPS)) {
      const why = detached ? ', while disconnected' : restarted ? ', before the first message' : '';
      this.note(`gap: publisher ${publisherId}: ${missing} missing (${from} to ${to})${why}`);
    }
    if (gaps.length > MAX_GAPS) this.note(`gap: ${gaps.length - MAX_GAPS} more gaps`);
  }

  /** Prints any other event. */
  event(kind: string, text: string, details: object): void {
    if (this.json) this.object(kind, this.clock.now(), details);
    else this.note(text);
  }

  summary(text: string, details: object): void {
    if (this.json) this.object('summary', this.clock.now(), details);
    else this.terminal.out(text);
  }

  private note(text: string): void {
    this.terminal.err(`${this.time(this.clock.now())}  ${text}`);
  }

  private object(kind: string, at: number, details: object): void {
    this.terminal.out(stringifyJson({ time: wallTime(this.clock, at).toISOString(), kind, ...details }));
  }

  private time(at: number): string {
    const wall = wallTime(this.clock, at);
    return `${wall.toTimeString().slice(0, 8)}.${String(wall.getMilliseconds()).padStart(3, '0')}`;
  }
}
