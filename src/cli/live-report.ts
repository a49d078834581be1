import type { SchedulerLike } from 'rxjs';
import type { Problem } from '../core/sources/problem.js';
import type { SourceStatus } from '../core/sources/source-status.js';
import type { Transition } from '../core/state/fleet-step.js';
import { stringifyJson } from '../wire/json/json-value.js';
import type { SequenceGap } from '../wire/loads/load-account.js';
import type { Terminal } from './terminal.js';

/** A source or a worker that says how it is. */
export type ReportedStatus = Omit<SourceStatus, 'state'> & { readonly state: string };

const MAX_GAPS = 5;
const MAX_REASONS = 20;
const sourceNames: Readonly<Record<string, string>> = {
  loads: 'loads (NATS)',
  discovery: 'discovery (etcd)',
  publisher: 'publishers (NATS)',
  scrape: 'scrapes (NATS)',
};

/**
 * What is said while a live fleet is watched: results on standard output, everything else on standard error; as JSON
 * all of it on standard output, one object a line, with its `kind`. The wall clock labels each line.
 */
export class LiveReport {
  private readonly reported = new Map<string, { readonly state: string; readonly whys: Set<string> }>();

  constructor(
    private readonly terminal: Terminal,
    private readonly json: boolean,
    private readonly scheduler: SchedulerLike,
  ) {}

  /** What begins: for people in both forms. */
  start(text: string, details: object): void {
    this.terminal.err(text);
    if (this.json) this.object('began', this.scheduler.now(), details);
  }

  transition({ at, workerId, busy, verdict }: Transition): void {
    const { reason, ranks, text } = verdict;
    if (this.json) this.object('transition', at, { workerId, busy, reason, ranks, text });
    else this.terminal.out(`${this.time(at)}  ${busy ? '▲' : '▽'} ${text}`);
  }

  /** A state that differs, or another reason for it; that it is tried again and again is told once. */
  status(status: ReportedStatus): void {
    const { source, state, since, why = '', retryInMs } = status;
    const reported = this.reported.get(source);
    if (reported?.state !== state) this.reported.set(source, { state, whys: new Set([why]) });
    else if (reported.whys.has(why) || reported.whys.size === MAX_REASONS) return;
    else reported.whys.add(why);
    if (this.json) {
      this.object('status', this.scheduler.now(), { ...status, since: this.wall(since).toISOString() });
      return;
    }
    const reason = why === '' ? '' : `: ${why}`;
    const retry = retryInMs === undefined ? '' : ` Next try in ${Math.round(retryInMs)} ms.`;
    const from = state === reported?.state ? ` since ${this.time(since)}` : '';
    this.note(`${sourceNames[source] ?? source}: ${state}${from}${reason}${retry}`);
  }

  problem(problem: Problem): void {
    const { code, text, count } = problem;
    if (this.json) this.object('problem', this.scheduler.now(), problem);
    else this.note(`${code}: ${text}${count > 1 ? ` (${count} times)` : ''}`);
  }

  gaps(gaps: readonly SequenceGap[]): void {
    if (this.json) {
      for (const { seenAt, ...gap } of gaps) this.object('gap', seenAt, gap);
      return;
    }
    for (const { publisherId, from, to, missing, detached, restarted } of gaps.slice(0, MAX_GAPS)) {
      const why = detached ? ', while the connection was away' : restarted ? ', before its first' : '';
      this.note(`gap: publisher ${publisherId}: ${missing} missing, numbers ${from} to ${to}${why}`);
    }
    if (gaps.length > MAX_GAPS) this.note(`gap: ${gaps.length - MAX_GAPS} more gaps`);
  }

  /** Anything else that happened. */
  event(kind: string, text: string, details: object): void {
    if (this.json) this.object(kind, this.scheduler.now(), details);
    else this.note(text);
  }

  summary(text: string, details: object): void {
    if (this.json) this.object('summary', this.scheduler.now(), details);
    else this.terminal.out(text);
  }

  private note(text: string): void {
    this.terminal.err(`${this.time(this.scheduler.now())}  ${text}`);
  }

  private object(kind: string, at: number, details: object): void {
    this.terminal.out(stringifyJson({ time: this.wall(at).toISOString(), kind, ...details }));
  }

  /** What the wall clock showed, or will show, at a time of the scheduler. */
  private wall(at: number): Date {
    return new Date(Date.now() - this.scheduler.now() + at);
  }

  private time(at: number): string {
    const wall = this.wall(at);
    return `${wall.toTimeString().slice(0, 8)}.${String(wall.getMilliseconds()).padStart(3, '0')}`;
  }
}
