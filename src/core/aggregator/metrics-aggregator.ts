import {
  type Observable,
  Subject,
  catchError,
  concat,
  concatMap,
  defer,
  finalize,
  ignoreElements,
  map,
  merge,
  of,
  repeat,
  share,
  tap,
  timer,
  toArray,
} from 'rxjs';
import { answerWithin } from '../../operators/answer-within.js';
import { Outputs } from '../pipeline/outputs.js';
import type { Problem } from '../sources/problem.js';
import type { SourceStatus } from '../sources/source-status.js';
import {
  type AggregatorSettings,
  type MetricsAggregatorOptions,
  aggregatorSettings,
} from './aggregator-options.js';
import {
  type AggregatorState,
  type ScrapeOutcome,
  afterScrape,
  waitOf,
  waitingState,
} from './aggregator-state.js';
import { type ProcessedEndpoints, sameData } from './processed-endpoints.js';
import type { Scrape } from './scrape.js';

interface AggregatorOutputValues {
  readonly endpoints: ProcessedEndpoints;
  readonly problems: Problem;
  readonly status: SourceStatus;
}

/** Emits what a round changed, and its problems, in the fixed order of the outputs. */
function publish(
  outputs: Outputs<AggregatorOutputValues>,
  { endpoints, problems, status }: AggregatorState,
): void {
  const hasNewEndpoints = endpoints !== outputs.last('endpoints');
  const hasNewStatus = !sameData(status, outputs.last('status'));
  outputs.keep({ endpoints, status });
  if (hasNewEndpoints) outputs.next('endpoints', endpoints);
  for (const problem of problems) outputs.next('problems', problem);
  if (hasNewStatus) outputs.next('status', status);
}

/** One round after the other, for ever: what is known before the first, then what each one left. */
export function aggregatorRounds(scrape: Scrape, settings: AggregatorSettings): Observable<AggregatorState> {
  const { scheduler } = settings;
  return defer(() => {
    let state = waitingState(settings, scheduler.now());
    const round$ = defer(() => timer(waitOf(state, settings), scheduler)).pipe(
      concatMap(() => outcomeOf(scrape, settings)),
      map((outcome) => (state = afterScrape(state, outcome, settings, scheduler.now()))),
    );
    return concat(of(state), round$.pipe(repeat()));
  });
}

/** Replies are decoded as they come, so that the work of a large fleet is spread over the scrape. */
function outcomeOf(scrape: Scrape, settings: AggregatorSettings): Observable<ScrapeOutcome> {
  const { decode, policy, maxScrapeMs, scheduler } = settings;
  return defer(() => scrape).pipe(
    map(({ data }) => decode(data, policy.wire)),
    toArray(),
    answerWithin(maxScrapeMs, scheduler),
    map((replies): ScrapeOutcome => ({ replies })),
    catchError((error: unknown) => of<ScrapeOutcome>({ error })),
  );
}

/** What an aggregator says. See {@link metricsAggregator}. */
export interface MetricsAggregator {
  readonly endpoints$: Observable<ProcessedEndpoints>;
  readonly problems$: Observable<Problem>;
  readonly status$: Observable<SourceStatus>;
  /** What `endpoints$` said last, or `undefined` while nobody listens to any output. */
  snapshot(): ProcessedEndpoints | undefined;
}

/**
 * Asks all workers for their statistics again and again, and hands out what they say as one snapshot when it differs.
 *
 * 1. A round is: wait `waitMs`, scrape until the scrape completes, keep the entries of this endpoint, make
 *    {@link ProcessedEndpoints} of them, emit if they differ. One scrape at a time: the next wait begins when the
 *    scrape is over.
 * 2. `endpoints$` begins with nobody, average and deviation 0. The first scrape is always emitted, also when it finds
 *    nobody: average and deviation are NaN then. After that the same is not said again, nobody included.
 * 3. A scrape that fails, or has not ended after `maxScrapeMs`, keeps the last snapshot and is a problem; nothing of
 *    what it brought counts. The next complete one heals it.
 * 4. A reply that cannot be read costs that reply, an entry that entry; each is a problem.
 * 5. A worker that a complete scrape did without is told as a problem once, and dropped after as many such scrapes in
 *    a row as the policy says.
 * 6. While nobody answers, or scrapes fail, each wait is twice as long as the one before, up to `longestWaitMs`, unless
 *    the policy does not back off. A reply ends that.
 * 7. `status$` says once that it is waiting for the endpoint (`connecting`), and once that it was found (`live`). It is
 *    `down` while scrapes fail, with the reason and the wait, and `stale` while nobody is there any more.
 * 8. All outputs share one run, which the first subscriber begins and the last one ends, the scrape under way included.
 *    `endpoints$` and `status$` give a late subscriber the present value; `problems$` only what comes. They neither
 *    error nor complete. In a round `endpoints$` speaks first, then `problems$`, then `status$`.
 *
 * | on | it does |
 * |---|---|
 * | first scrape | is emitted, whatever it found |
 * | same again | is not emitted |
 * | slow reply | is not in this scrape, and its worker is missed |
 * | missed scrape | keeps the worker, and tells it once |
 * | overlap | does not happen: the next scrape waits for the end of this one |
 * | endless scrape | has failed after `maxScrapeMs` |
 * | failed scrape | keeps the snapshot, whatever came before it failed |
 * | recovery | is the next complete scrape |
 * | nobody | is said once, and asked less and less often |
 * | everyone at once | is one snapshot |
 * | bad reply | costs that reply |
 * | unsubscribe | ends the scrape under way |
 * | late subscription | begins with the present snapshot |
 *
 * ```
 *   scrape      --a|                  every time; a: worker 1 with 10 blocks, b: with 20
 *   scrape, 2nd --b|
 *            metricsAggregator(scrape, { waitMs: 3 columns })
 *   endpoints$  n-----x-----y------   n: nobody, x: 10, y: 20
 * ```
 *
 * @param scrape Asked once a round; see {@link Scrape} for what it has to keep to.
 *
 * @throws AggregatorOptionsError, when it is called, for options that cannot be followed.
 *
 * @example
 * ```ts
 * import { of, take } from 'rxjs';
 * import { metricsAggregator } from 'tidemark';
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
 * endpoints$.pipe(take(2)).subscribe(({ loadAvg, ...all }) => console.log(loadAvg, all.endpoints.size));
 * // Logs: 0 0
 * // Logs: 40 1
 * ```
 *
 * @see {@link aggregatorPolicies}, {@link engineLoads}
 */
export function metricsAggregator(scrape: Scrape, options: MetricsAggregatorOptions): MetricsAggregator {
  const settings = aggregatorSettings(options);
  const outputs = new Outputs<AggregatorOutputValues>({
    endpoints: new Subject(),
    problems: new Subject(),
    status: new Subject(),
  });
  const run$ = aggregatorRounds(scrape, settings).pipe(
    tap((state) => publish(outputs, state)),
    finalize(() => outputs.clear()),
    ignoreElements(),
    share(),
  );
  // The output is subscribed to before the run that feeds it, so that it gets the first values too.
  const output$ = <Name extends keyof AggregatorOutputValues>(
    name: Name,
  ): Observable<AggregatorOutputValues[Name]> => merge(outputs.output$(name), run$);
  return {
    endpoints$: output$('endpoints'),
    problems$: output$('problems'),
    status$: output$('status'),
    snapshot: () => outputs.last('endpoints'),
  };
}
