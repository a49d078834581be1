import { ignoreElements, type OperatorFunction, type SchedulerLike, tap, type TimestampProvider } from 'rxjs';
import { wallTime } from '../adapters/clock/wall-time.js';
import type { WorkerState } from '../core/judgement/worker-state.js';
import type { Problem } from '../core/sources/problem.js';
import type { SourceStatus } from '../core/sources/source-status.js';
import { type StatusReport, statusReports } from '../core/sources/status-reports.js';
import type { Transition } from '../core/state/fleet-step.js';
import { stringifyJson } from '../wire/json/json-value.js';
import type { SequenceGap } from '../wire/loads/load-account.js';
import type { PoolLabel } from '../service/queries/pool-summary.js';
import type { Terminal } from './terminal.js';

/**
 * The text of a summary that says which workers are busy. If no value could be compared with a threshold, no worker is judged,
 * and nothing is known about who is free.
 */
export function busyText(busy: readonly string[], isJudging: boolean): string {
  if (busy.length > 0) return `busy: ${busy.join(', ')}`;
  return isJudging ? 'no worker is busy' : 'no worker is judged';
}

/** A transition as one line for people. One id may be that of a decode worker and of a prefill worker. */
export function transitionText({ role }: Pick<PoolLabel, 'role'>, { to, verdict }: Transition): string {
  return `${stateSymbols[to]} ${role === 'prefill' ? 'prefill ' : ''}${verdict.text}`;
}

/** The symbol of a worker that became busy, free or unknown. */
const stateSymbols: Readonly<Record<WorkerState, string>> = { busy: '▲', free: '▽', unknown: '?' };

/**
 * Whether a transition is worth a line for people: the worker became busy, is no longer busy, or can no longer be judged. That it
 * is heard for the first time, or left while it was not busy, is in other lines.
 */
export function isNews({ from, to, verdict }: Transition): boolean {
  return from === 'busy' || to === 'busy' || (to === 'unknown' && verdict.reason !== 'left');
}

const MAX_GAPS = 5;
const sourceNames: Readonly<Record<string, string>> = {
  loads: 'loads (NATS)',
  discovery: 'discovery (etcd)',
  publisher: 'publishers (NATS)',
  scrape: 'scrapes (NATS)',
};

/** The name of a source, for people. */
export function sourceText(source: string): string {
  return sourceNames[source] ?? source;
}

/**
 * Prints what happens while a live fleet is watched. Results go to standard output, everything else to standard error.
 * As JSON, everything goes to standard output, as one object per line with its `kind`. Times are wall-clock
 * times, computed from the clock when they are printed.
 */
export class LiveReport {
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

  /** Prints a transition of a worker in a pool. Without JSON, only what is news is printed. */
  transition(pool: PoolLabel, transition: Transition): void {
    const { at, workerId, from, to, busy, verdict } = transition;
    const { reason, ranks, text } = verdict;
    if (this.json) this.object('transition', at, { ...pool, workerId, from, to, busy, reason, ranks, text });
    else if (isNews(transition)) this.terminal.out(`${this.time(at)}  ${transitionText(pool, transition)}`);
  }

  /** Prints the statuses that {@link statusReports} selects, with how long the state has lasted. */
  statuses(scheduler: SchedulerLike): OperatorFunction<SourceStatus, never> {
    return (status$) =>
      status$.pipe(
        statusReports(scheduler),
        tap((report) => this.status(report)),
        ignoreElements(),
      );
  }

  private status(report: StatusReport): void {
    const { source, state, since, why = '', retryInMs, attempts } = report;
    const now = this.clock.now();
    if (this.json) {
      this.object('status', now, { ...report, since: wallTime(this.clock, since).toISOString() });
      return;
    }
    const seconds = Math.round((now - since) / 1000);
    const lasting = seconds < 1 ? '' : ` for ${seconds} s`;
    const tries = attempts < 2 ? '' : `, ${attempts} attempts`;
    const reason = why === '' ? '' : `: ${why}`;
    const retry = retryInMs === undefined ? '' : ` Next try in ${Math.round(retryInMs)} ms.`;
    this.note(`${sourceText(source)}: ${state}${lasting}${tries}${reason}${retry}`);
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
