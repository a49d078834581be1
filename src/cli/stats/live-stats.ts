import { filter, ignoreElements, mergeWith, repeat, takeUntil, tap, timer } from 'rxjs';
import { monotonicScheduler } from '../../adapters/clock/monotonic-scheduler.js';
import { keepLink } from '../../adapters/nats/nats-run.js';
import { requestManyOver } from '../../adapters/nats/request-many.js';
import { toStatsRequest } from '../../adapters/nats/scrape-stats.js';
import { serviceRequestSubject } from '../../wire/services/service-names.js';
import { natsOptionsFromEnv } from '../fleet-options.js';
import { LiveReport } from '../live-report.js';
import { CliError, type Terminal, exitCode, untilSignal } from '../terminal.js';
import { scrapeRound, type ScrapeRound } from './scrape-round.js';
import { statsObjects, statsTable } from './stats-output.js';

/** The options of `tidemark stats` on a live server. */
export interface LiveStatsOptions {
  readonly nats: string;
  /** `null`: every service. */
  readonly service: string | null;
  /** The endpoint that tells a worker's load. */
  readonly endpoint: string;
  /** Milliseconds. */
  readonly window: number;
  /** Seconds between two scrapes. Absent: one scrape. */
  readonly every?: number;
  /** Seconds. */
  readonly duration?: number;
  readonly json?: boolean;
}

/**
 * `tidemark stats`: what every instance of a NATS micro service says of its endpoints, once, or again and again until a
 * signal. The table goes to standard output, what was wrong to standard error. Once, and nobody answers: 1.
 *
 * @throws CliError when the one scrape could not be made, or was cut short
 */
export async function liveStatsCommand(
  options: LiveStatsOptions,
  terminal: Terminal,
  end$ = untilSignal(options.duration, monotonicScheduler),
): Promise<number> {
  const { nats, service, endpoint, window: windowMs, every, json = false } = options;
  const scheduler = monotonicScheduler;
  const report = new LiveReport(terminal, json, scheduler);
  // The connection lives as long as the command, and no longer.
  const linked$ = keepLink(natsOptionsFromEnv(nats, process.env), 0);
  const round$ = scrapeRound(requestManyOver(linked$, toStatsRequest(service, { windowMs })), endpoint);
  const noReplies = noRepliesText(service, windowMs);
  let before: PreviousOutput = { text: '', problems: new Set() };
  let last: ScrapeRound | null = null;

  const print = (round: ScrapeRound): void => {
    last = round;
    const text = roundText(round, noReplies);
    for (const problem of round.problems) if (!before.problems.has(problem.text)) report.problem(problem);
    if (json) for (const [kind, details] of statsObjects(round)) report.event(kind, '', details);
    else if (text !== before.text && text !== '') (hasNoReplies(round) ? terminal.err : terminal.out)(text);
    before = { text, problems: new Set(round.problems.map((problem) => problem.text)) };
  };
  const reportStatus = ({ error }: ScrapeRound): void => {
    const status = { source: 'scrape', since: scheduler.now() };
    if (error === null) report.status({ ...status, state: 'live' });
    else report.status({ ...status, state: 'down', why: error.message });
  };
  const rounds$ =
    every === undefined
      ? round$
      : round$.pipe(
          tap(reportStatus),
          // What a scrape found that was cut short says nothing of who is missing: the table before it stays.
          filter(({ error }) => error === null || json),
          repeat({ delay: () => timer(every * 1000, scheduler) }),
          mergeWith(linked$.pipe(ignoreElements())),
          takeUntil(end$),
        );
  await new Promise<void>((resolve, reject) => {
    rounds$.pipe(tap(print)).subscribe({ error: reject, complete: resolve });
  });
  if (every !== undefined) return exitCode.ok;
  return exitCodeOf(last);
}

interface PreviousOutput {
  readonly text: string;
  readonly problems: ReadonlySet<string>;
}

function hasNoReplies({ instances, problems }: ScrapeRound): boolean {
  return instances.length + problems.length === 0;
}

/** Why a scrape failed is told by itself; that nobody answered it would say too much. */
function roundText(round: ScrapeRound, silence: string): string {
  if (!hasNoReplies(round)) return statsTable(round).join('\n');
  return round.error === null ? silence : '';
}

/** Of the one scrape. */
function exitCodeOf(round: ScrapeRound | null): number {
  const error = round?.error ?? null;
  if (error !== null) throw new CliError(error.message, { cause: error });
  return round === null || hasNoReplies(round) ? exitCode.failed : exitCode.ok;
}

function noRepliesText(service: string | null, windowMs: number): string {
  const subject = serviceRequestSubject('STATS', service ?? undefined);
  const what = `nobody answered ${subject} within ${windowMs} ms`;
  return service === null
    ? `${what}: no NATS micro service is on this server, or none that this user may ask. Workers of Dynamo are services up to 0.8; \`tidemark watch\` shows later ones.`
    : `${what}: check the name, which \`tidemark stats\` without one lists, and that the service is on this server. Workers of Dynamo are services up to 0.8, and tell their load so up to 0.6.0.`;
}
