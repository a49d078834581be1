import { filter, ignoreElements, mergeWith, repeat, takeUntil, tap, timer } from 'rxjs';
import { monotonicScheduler } from '../adapters/clock/monotonic-scheduler.js';
import { linked } from '../adapters/nats/linked.js';
import { scrapeOver } from '../adapters/nats/scrape-over.js';
import { scrapeQuestion } from '../adapters/nats/scrape-question.js';
import { serviceRequestSubject } from '../wire/service-names.js';
import { CliError } from './cli-error.js';
import { exitCode } from './exit-code.js';
import { natsAccess } from './live-access.js';
import { LiveReport } from './live-report.js';
import { scrapeRound, type ScrapeRound } from './scrape-round.js';
import { statsObjects } from './stats-objects.js';
import { statsTable } from './stats-table.js';
import type { Terminal } from './terminal.js';
import { untilSignal } from './until-signal.js';

/** The options of `tidemark stats` on a live server. */
export interface StatsLiveOptions {
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
export async function statsLive(
  options: StatsLiveOptions,
  terminal: Terminal,
  end$ = untilSignal(options.duration, monotonicScheduler),
): Promise<number> {
  const { nats, service, endpoint, window: windowMs, every, json = false } = options;
  const scheduler = monotonicScheduler;
  const report = new LiveReport(terminal, json, scheduler);
  // The connection lives as long as the command, and no longer.
  const linked$ = linked(natsAccess(nats, process.env), 0);
  const round$ = scrapeRound(scrapeOver(linked$, scrapeQuestion(service, { windowMs })), endpoint);
  const silence = nobodyText(service, windowMs);
  let before: Told = { text: '', problems: new Set() };
  let last: ScrapeRound | null = null;

  const tell = (round: ScrapeRound): void => {
    last = round;
    const text = textOf(round, silence);
    for (const problem of round.problems) if (!before.problems.has(problem.text)) report.problem(problem);
    if (json) for (const [kind, details] of statsObjects(round)) report.event(kind, '', details);
    else if (text !== before.text && text !== '') (isSilent(round) ? terminal.err : terminal.out)(text);
    before = { text, problems: new Set(round.problems.map((problem) => problem.text)) };
  };
  const health = ({ error }: ScrapeRound): void => {
    const status = { source: 'scrape', since: scheduler.now() };
    if (error === null) report.health({ ...status, state: 'live' });
    else report.health({ ...status, state: 'down', why: error.message });
  };
  const rounds$ =
    every === undefined
      ? round$
      : round$.pipe(
          tap(health),
          // What a scrape found that was cut short says nothing of who is missing: the table before it stays.
          filter(({ error }) => error === null || json),
          repeat({ delay: () => timer(every * 1000, scheduler) }),
          mergeWith(linked$.pipe(ignoreElements())),
          takeUntil(end$),
        );
  await new Promise<void>((resolve, reject) => {
    rounds$.pipe(tap(tell)).subscribe({ error: reject, complete: resolve });
  });
  if (every !== undefined) return exitCode.ok;
  return verdictOf(last);
}

interface Told {
  readonly text: string;
  readonly problems: ReadonlySet<string>;
}

function isSilent({ instances, problems }: ScrapeRound): boolean {
  return instances.length + problems.length === 0;
}

/** Why a scrape failed is told by itself; that nobody answered it would say too much. */
function textOf(round: ScrapeRound, silence: string): string {
  if (!isSilent(round)) return statsTable(round).join('\n');
  return round.error === null ? silence : '';
}

/** Of the one scrape. */
function verdictOf(round: ScrapeRound | null): number {
  const error = round?.error ?? null;
  if (error !== null) throw new CliError(error.message, { cause: error });
  return round === null || isSilent(round) ? exitCode.failed : exitCode.ok;
}

function nobodyText(service: string | null, windowMs: number): string {
  const subject = serviceRequestSubject('STATS', service ?? undefined);
  const what = `nobody answered ${subject} within ${windowMs} ms`;
  return service === null
    ? `${what}: no NATS micro service is on this server, or none that this user may ask. Workers of Dynamo are services up to 0.8; \`tidemark watch\` shows later ones.`
    : `${what}: check the name, which \`tidemark stats\` without one lists, and that the service is on this server. Workers of Dynamo are services up to 0.8, and tell their load so up to 0.6.0.`;
}
