import {
  type Observable,
  defer,
  distinctUntilChanged,
  finalize,
  identity,
  ignoreElements,
  map,
  merge,
  mergeMap,
  pipe,
  scan,
  share,
  startWith,
  tap,
} from 'rxjs';
import { Outputs } from '../pipeline/outputs.js';
import type { Problem } from '../sources/problem.js';
import type { SourceStatus } from '../sources/source-status.js';
import {
  type AggregatorSettings,
  type MetricsAggregatorOptions,
  aggregatorSettings,
} from './aggregator-options.js';
import { type AggregatorState, afterScrape, waitingState } from './aggregator-state.js';
import { type ProcessedEndpoints, sameData } from './processed-endpoints.js';
import { scrapeOutcomes } from './scrape-outcomes.js';
import type { Scrape } from './scrape.js';

interface AggregatorOutputValues {
  readonly endpoints: ProcessedEndpoints;
  readonly problems: Problem;
  readonly status: SourceStatus;
}

/** The outputs of one run, in the order in which they emit in each round. */
function aggregatorOutputs(): Outputs<AggregatorState, AggregatorOutputValues> {
  return new Outputs<AggregatorState, AggregatorOutputValues>({
    endpoints: {
      select: pipe(
        map(({ endpoints }) => endpoints),
        distinctUntilChanged((before, after) => after.equals(before)),
      ),
      onLateSubscription: identity,
    },
    problems: { select: mergeMap(({ problems }) => problems) },
    status: {
      select: pipe(
        map(({ status }) => status),
        distinctUntilChanged<SourceStatus>(sameData),
      ),
      onLateSubscription: identity,
    },
  });
}

/** The state before the first scrape, and after each one. */
function aggregatorStates(scrape: Scrape, settings: AggregatorSettings): Observable<AggregatorState> {
  const { scheduler } = settings;
  return defer(() => {
    const waiting = waitingState(settings, scheduler.now());
    return scrapeOutcomes(scrape, settings).pipe(
      scan((state, outcome) => afterScrape(state, outcome, settings, scheduler.now()), waiting),
      startWith(waiting),
    );
  });
}

/** An aggregator of scraped statistics. See {@link metricsAggregator}. */
export interface MetricsAggregator {
  /** The snapshot of all workers: the current one on subscription, then each one that differs. */
  readonly endpoints$: Observable<ProcessedEndpoints>;
  /** Recoverable problems: failed scrapes, unreadable replies and entries, missed workers. */
  readonly problems$: Observable<Problem>;
  /** The status of the scraping: the current one on subscription, then each change. */
  readonly status$: Observable<SourceStatus>;
  /** The last value of `endpoints$`; `undefined` while no output has a subscriber. */
  snapshot(): ProcessedEndpoints | undefined;
}

/**
 * Scrapes the statistics of all workers repeatedly, and emits them as one snapshot whenever they differ.
 *
 * 1. A round waits `waitMs`, scrapes until the scrape completes, makes {@link ProcessedEndpoints} from the entries of this
 *    endpoint, and emits them if they differ. Scrapes do not overlap: the next wait starts when the scrape has ended.
 * 2. `endpoints$` starts with a snapshot without workers, with average and deviation 0. The first scrape is always
 *    emitted, even without workers; average and deviation are then NaN. After that, equal snapshots are not emitted.
 * 3. A scrape that fails, or has not ended after `maxScrapeMs`, is a problem. Its replies do not count, and the last
 *    snapshot is kept until the next complete scrape.
 * 4. A reply or an entry that cannot be read is ignored, with a problem.
 * 5. A worker that a complete scrape missed is a problem once. It is removed after as many such scrapes in a row as the
 *    policy says.
 * 6. While no replies are received or scrapes fail, each wait is twice as long as the one before, up to `longestWaitMs`,
 *    unless the policy does not back off. The next reply resets the wait.
 * 7. `status$` is `connecting` until the endpoint is found, and then `live`. It is `down` while scrapes fail, with the
 *    reason and the wait, and `stale` while there are no more workers.
 * 8. All outputs share one run. The first subscriber starts it, and the last one ends it together with its active scrape.
 *    `endpoints$` and `status$` give a late subscriber the current value first; `problems$` only later ones. The outputs
 *    neither error nor complete. In each round `endpoints$` emits first, then `problems$`, then `status$`.
 * 9. The data-parallel ranks of a worker are kept apart, unless the policy does not. Several entries of one rank in one
 *    scrape are a problem. A rank that is missing from the reply of its worker is removed after as many such scrapes in a
 *    row as a missed worker, without a problem: engines whose ranks share one slot report one of them at a time.
 *
 * | on | effect |
 * |---|---|
 * | first scrape | emitted, whatever it found |
 * | unchanged statistics | not emitted |
 * | slow reply | not in this scrape, and its worker is missed |
 * | missed scrape | the worker is kept, and reported once |
 * | overlap | impossible: the next scrape waits for the end of this one |
 * | endless scrape | fails after `maxScrapeMs` |
 * | failed scrape | the snapshot is kept, whatever was received before the failure |
 * | recovery | the next complete scrape |
 * | no replies | reported once, and scraped less and less often |
 * | simultaneous replies | one snapshot |
 * | bad reply | ignored, with a problem |
 * | several ranks | each has its entry, and counts once |
 * | unsubscribe | the active scrape ends |
 * | late subscription | the current snapshot first |
 *
 * ```
 *   scrape      --a|                  every time; a: worker 1 with 10 blocks, b: with 20
 *   scrape, 2nd --b|
 *            metricsAggregator(scrape, { waitMs: 3 columns })
 *   endpoints$  n-----x-----y------   n: no workers, x: 10, y: 20
 * ```
 *
 * @param scrape subscribed to once in each round; {@link Scrape} says what it has to do
 *
 * @throws AggregatorOptionsError, when it is called, for invalid options
 *
 * @example
 * ```ts
 * import { of, take } from 'rxjs';
 * import { metricsAggregator } from 'tidemark/aggregator';
 * import { decodeServiceStats } from 'tidemark/wire';
 *
 * const reply =
 *   '{"name":"dynamo_backend","id":"x","version":"0.0.1","started":"","endpoints":[' +
 *   '{"name":"e","subject":"dynamo_backend.load_metrics-10","data":{' +
 *   '"worker_stats":{"request_active_slots":3,"request_total_slots":8,"num_requests_waiting":0},' +
 *   '"kv_stats":{"kv_active_blocks":40,"kv_total_blocks":100,"gpu_cache_usage_perc":0.4,"gpu_prefix_cache_hit_rate":0}}}]}';
 * const scrape = of({ data: new TextEncoder().encode(reply), receivedAt: 0 });
 * const { endpoints$ } = metricsAggregator(scrape, {
 *   service: 'dynamo_backend',
 *   endpoint: 'load_metrics',
 *   decode: decodeServiceStats,
 *   waitMs: 1,
 * });
 * endpoints$.pipe(take(2)).subscribe(({ loadAvg, ...all }) => console.log(loadAvg, all.endpoints.length));
 * // Logs: 0 0
 * // Logs: 40 1
 * ```
 *
 * @see {@link aggregatorPolicies}, {@link engineLoads}
 */
export function metricsAggregator(scrape: Scrape, options: MetricsAggregatorOptions): MetricsAggregator {
  const settings = aggregatorSettings(options);
  let outputs = aggregatorOutputs();
  const run$ = aggregatorStates(scrape, settings).pipe(
    tap((state) => outputs.next(state)),
    finalize(() => (outputs = aggregatorOutputs())),
    ignoreElements(),
    share(),
  );
  // The output is subscribed to before the run that feeds it, so that it gets the first values too.
  const output = <Name extends keyof AggregatorOutputValues>(
    name: Name,
  ): Observable<AggregatorOutputValues[Name]> => defer(() => merge(outputs.select(name), run$));
  return {
    endpoints$: output('endpoints'),
    problems$: output('problems'),
    status$: output('status'),
    snapshot: () => outputs.last('endpoints'),
  };
}
