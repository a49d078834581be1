import { EMPTY, filter, merge, takeUntil, tap, type Observable } from 'rxjs';
import { monotonicScheduler } from '../adapters/clock/monotonic-scheduler.js';
import type { ActiveLoad } from '../core/active-load.js';
import type { FleetCounts } from '../core/fleet-counts.js';
import type { LoadBatch } from '../core/load-batch.js';
import { loadMonitor } from '../core/load-monitor/load-monitor.js';
import { policyNamed } from '../core/policy-named.js';
import type { WorkerId } from '../core/worker-id.js';
import { dynamoSources, type DynamoSourcesOptions } from '../dynamo/dynamo-sources.js';
import { scrapedSources, type ScrapedSources } from '../dynamo/scraped-sources.js';
import type { LoadAccount } from '../wire/load-account.js';
import { CliError } from './cli-error.js';
import { exitCode } from './exit-code.js';
import { LiveReport } from './live-report.js';
import { marksOf, type MarkOptions } from './mark-options.js';
import { marksText } from './marks-text.js';
import { silenceHint } from './silence-hint.js';
import type { Terminal } from './terminal.js';
import { untilSignal } from './until-signal.js';
import { watchedFleet, type WatchedFleetOptions } from './watched-fleet.js';
import { workerNews } from './worker-news.js';

/** The options of `tidemark watch`. */
export interface WatchOptions extends WatchedFleetOptions, MarkOptions {
  readonly policy: string;
  /** The fleet is one of releases up to 0.6, whose workers are asked for their load. */
  readonly scrape?: boolean;
}

const NO_MARKS = 'marks are off: set one, for example --active-decode-blocks-threshold 0.85';

/**
 * `tidemark watch`: a live fleet: who becomes busy or free and why, and how its sources are. Nothing that a server
 * does ends it; Ctrl-C, SIGTERM and `--duration` do, with a summary.
 */
export async function watchCommand(
  options: WatchOptions,
  terminal: Terminal,
  end$ = untilSignal(options.duration, monotonicScheduler),
): Promise<number> {
  const scheduler = monotonicScheduler;
  const policy = policyNamed(options.policy);
  const marks = marksOf(options, policy, {});
  const fleet = watchedFleet(options);
  const sources = options.scrape === true ? scraped(fleet.sources) : dynamoSources(fleet.sources);
  const report = new LiveReport(terminal, options.json === true, scheduler);
  const count = { loads: 0, transitions: 0 };
  let account: LoadAccount | undefined;
  let counts: FleetCounts | undefined;
  let live: ReadonlySet<string> = new Set();
  let asked = false;
  let busy: readonly WorkerId[] = [];

  const loads$: Observable<ActiveLoad | LoadBatch> = sources.loads;
  const loads = loads$.pipe(tap((load) => (count.loads += 'count' in load ? load.count : 1)));
  const monitor = loadMonitor({ ...sources, loads }, { policy, scheduler, start: { thresholds: marks } });
  const began = scheduler.now();
  const marksLine = marks.isConfigured() ? marksText(marks) : NO_MARKS;
  report.began(`watching ${fleet.text}, policy ${policy.name}; ${marksLine}; Ctrl-C ends it`, {
    watched: fleet.text,
    policy: policy.name,
    marks: {
      activeDecodeBlocksThreshold: marks.activeDecodeBlocksThreshold,
      activePrefillTokensThreshold: marks.activePrefillTokensThreshold,
      activePrefillTokensThresholdFrac: marks.activePrefillTokensThresholdFrac,
    },
  });

  const told$ = merge(
    monitor.status$.pipe(
      tap((statuses) => {
        for (const status of statuses) if (status.state !== 'connecting') report.health(status);
        live = new Set(statuses.flatMap(({ source, state }) => (state === 'live' ? [source] : [])));
        asked = statuses.some(({ source, state }) => source === 'scrape' && state !== 'down');
      }),
    ),
    monitor.busy$.pipe(tap((set) => (busy = [...set]))),
    monitor.fleet$.pipe(tap((now) => (counts = now))),
    // That scrapes fail is a status, which is told once.
    monitor.problems$.pipe(
      filter(({ code }) => code !== 'scrape-failed'),
      tap((problem) => report.problem(problem)),
    ),
    monitor.transitions$.pipe(
      tap((transition) => {
        count.transitions += 1;
        report.transition(transition);
      }),
    ),
    ('accounting$' in sources ? sources.accounting$ : EMPTY).pipe(
      tap((news) => {
        account = news.account;
        report.gaps(news.gaps);
      }),
    ),
    sources.decodeInstances.pipe(workerNews(report)),
    silenceHint(() => ({ ...count, workers: counts?.instances ?? 0, live, asked }), report, scheduler),
  );
  await new Promise<void>((resolve, reject) => {
    told$.pipe(takeUntil(end$)).subscribe({ error: reject, complete: resolve });
    monitor.connect();
  });
  monitor.stop();

  const { gaps = 0, missing = 0 } = account?.sequences ?? {};
  const failed = account?.failed ?? 0;
  const workers = counts?.instances ?? 0;
  const seconds = (scheduler.now() - began) / 1000;
  const atEnd = busy.length === 0 ? 'no worker is busy' : `busy: ${busy.join(', ')}`;
  report.summary(
    `after ${seconds.toFixed(1)} s: ${count.loads} loads, ${failed} unreadable messages, ${workers} workers, ` +
      `${count.transitions} transitions, ${gaps} gaps (${missing} messages missing); ${atEnd}`,
    { seconds, ...count, failed, workers, gaps, missing, busy },
  );
  return exitCode.ok;
}

function scraped({ endpoint, ...fleet }: DynamoSourcesOptions): ScrapedSources {
  if (endpoint !== undefined) return scrapedSources({ ...fleet, endpoint });
  throw new CliError(
    '--scrape asks the workers of one endpoint: name it, as in --endpoint backend.generate.',
  );
}
