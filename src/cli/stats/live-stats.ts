import {
  connect,
  filter,
  ignoreElements,
  lastValueFrom,
  merge,
  mergeWith,
  type OperatorFunction,
  repeat,
  scan,
  takeUntil,
  tap,
  timer,
  type TimestampProvider,
} from 'rxjs';
import { monotonicScheduler } from '../../adapters/clock/monotonic-scheduler.js';
import type { NatsOptions } from '../../adapters/nats/nats-options.js';
import { keepLink } from '../../adapters/nats/nats-run.js';
import { requestManyOver } from '../../adapters/nats/request-many.js';
import { toStatsRequest } from '../../adapters/nats/scrape-stats.js';
import { nextStatus, type SourceStatus } from '../../core/sources/source-status.js';
import { serviceRequestSubject } from '../../wire/services/service-names.js';
import { LiveReport } from '../live-report.js';
import { CliError, type Terminal, exitCode, untilSignal } from '../terminal.js';
import { scrapeRound, type ScrapeRound } from './scrape-round.js';
import { statsObjects, statsTable } from './stats-output.js';

/** The options of `tidemark stats` on a live server. */
export interface LiveStatsOptions {
  readonly nats: NatsOptions;
  /** The service to ask; `null` for every one. */
  readonly service: string | null;
  /** The endpoint whose metrics are a worker's load. */
  readonly endpoint: string;
  /** How long to wait for replies, in milliseconds. */
  readonly windowMs: number;
  /** The pause between two scrapes, in seconds. Absent: one scrape. */
  readonly every?: number;
  /** In seconds. */
  readonly duration: number | undefined;
  readonly json: boolean;
}

/**
 * `tidemark stats`: prints the endpoint statistics of every instance of a NATS micro service, once, or repeatedly until a
 * signal. The table goes to standard output, problems to standard error. The exit code is 1 if a single scrape gets no
 * replies.
 *
 * @throws CliError if a single scrape fails or is incomplete
 */
export async function liveStatsCommand(
  options: LiveStatsOptions,
  terminal: Terminal,
  end$ = untilSignal(options.duration, monotonicScheduler),
): Promise<number> {
  const { nats, service, endpoint, windowMs, every, json } = options;
  const scheduler = monotonicScheduler;
  const report = new LiveReport(terminal, json, scheduler);
  // The connection is closed when the command ends.
  const linked$ = keepLink(nats, 0);
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
  const rounds$ =
    every === undefined
      ? round$
      : round$.pipe(
          repeat({ delay: () => timer(every * 1000, scheduler) }),
          connect((rounds$) =>
            merge(
              rounds$.pipe(scrapeStatuses(scheduler), report.statuses(scheduler)),
              // An incomplete scrape does not show which instances are missing, so the previous table is kept.
              rounds$.pipe(filter(({ error }) => error === null || json)),
            ),
          ),
          mergeWith(linked$.pipe(ignoreElements())),
          takeUntil(end$),
        );
  await lastValueFrom(rounds$.pipe(tap(print)), { defaultValue: undefined });
  if (every !== undefined) return exitCode.ok;
  return exitCodeOf(last);
}

/** The status of repeated scrapes. */
function scrapeStatuses(clock: TimestampProvider): OperatorFunction<ScrapeRound, SourceStatus> {
  const first: SourceStatus = { source: 'scrape', state: 'connecting', since: clock.now() };
  return (rounds$) =>
    rounds$.pipe(
      scan((before, { error }): SourceStatus => {
        const next =
          error === null ? ({ state: 'live' } as const) : ({ state: 'down', why: error.message } as const);
        return { source: 'scrape', ...nextStatus(before, next, clock.now()) };
      }, first),
    );
}

interface PreviousOutput {
  readonly text: string;
  readonly problems: ReadonlySet<string>;
}

function hasNoReplies({ instances, problems }: ScrapeRound): boolean {
  return instances.length + problems.length === 0;
}

/** A failed scrape is reported separately; "no replies" would be a wrong conclusion. */
function roundText(round: ScrapeRound, noReplies: string): string {
  if (!hasNoReplies(round)) return statsTable(round).join('\n');
  return round.error === null ? noReplies : '';
}

/** The exit code of a single scrape. */
function exitCodeOf(round: ScrapeRound | null): number {
  const error = round?.error ?? null;
  if (error !== null) throw new CliError(error.message, { cause: error });
  return round === null || hasNoReplies(round) ? exitCode.failed : exitCode.ok;
}

function noRepliesText(service: string | null, windowMs: number): string {
  const subject = serviceRequestSubject('STATS', service ?? undefined);
  const noReplies = `no replies received to ${subject} within ${windowMs} ms`;
  return service === null
    ? `${noReplies}: this server has no NATS micro services, or this user may not request their statistics. Workers of Dynamo are services up to 0.8; for later ones, use \`tidemark watch\`.`
    : `${noReplies}: check the name (\`tidemark stats\` without a name lists all services), and that the service is on this server. Workers of Dynamo are services up to 0.8, and report their load this way up to 0.6.0.`;
}
