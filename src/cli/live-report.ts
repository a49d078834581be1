import type { SchedulerLike } from 'rxjs';
import type { Transition } from '../core/transition.js';
import type { Problem } from '../core/problem.js';
import type { SourceStatus } from '../core/source-status.js';
import type { SequenceGap } from '../wire/load-account.js';
import { jsonText } from '../wire/json-text.js';
import type { Terminal } from './terminal.js';

/** A source or a worker that says how it is. */
export type Health = Omit<SourceStatus, 'state'> & { readonly state: string };

const MOST_GAPS = 5;
const MOST_WHYS = 20;
const systems: Readonly<Record<string, string>> = {
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
  private readonly told = new Map<string, { readonly state: string; readonly whys: Set<string> }>();

  constructor(
    private readonly terminal: Terminal,
    private readonly json: boolean,
    private readonly scheduler: SchedulerLike,
  ) {}

  /** What begins: for people in both forms. */
  began(text: string, details: object): void {
    this.terminal.err(text);
    if (this.json) this.object('began', this.scheduler.now(), details);
  }

  transition({ at, workerId, busy, verdict }: Transition): void {
    const { reason, ranks, text } = verdict;
    if (this.json) this.object('transition', at, { workerId, busy, reason, ranks, text });
    else this.terminal.out(`${this.time(at)}  ${busy ? '▲' : '▽'} ${text}`);
  }

  /** A state that differs, or another reason for it; that it is tried again and again is told once. */
  health(status: Health): void {
    const { source, state, since, why = '', retryInMs } = status;
    const told = this.told.get(source);
    if (told?.state !== state) this.told.set(source, { state, whys: new Set([why]) });
    else if (told.whys.has(why) || told.whys.size === MOST_WHYS) return;
    else told.whys.add(why);
    if (this.json) {
      this.object('status', this.scheduler.now(), { ...status, since: this.wall(since).toISOString() });
      return;
    }
    const reason = why === '' ? '' : `: ${why}`;
    const retry = retryInMs === undefined ? '' : ` Next try in ${Math.round(retryInMs)} ms.`;
    const from = state === told?.state ? ` since ${this.time(since)}` : '';
    this.note(`${systems[source] ?? source}: ${state}${from}${reason}${retry}`);
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
    for (const { publisherId, from, to, missing, detached, restarted } of gaps.slice(0, MOST_GAPS)) {
      const why = detached ? ', while the connection was away' : restarted ? ', before its first' : '';
      this.note(`gap: publisher ${publisherId}: ${missing} missing, numbers ${from} to ${to}${why}`);
    }
    if (gaps.length > MOST_GAPS) this.note(`gap: ${gaps.length - MOST_GAPS} more gaps`);
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
    this.terminal.out(jsonText({ time: this.wall(at).toISOString(), kind, ...details }));
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
