import type { SourceState } from '../../core/source-status.js';
import type { Family } from './family.js';
import type { Metric } from './metric.js';
import { tidemarkMetrics } from './metric-names.js';
import type { PoolAtScrape } from './pool-at-scrape.js';
import type { SampleSink } from './sample-sink.js';

const states: readonly SourceState[] = ['connecting', 'live', 'stale', 'down', 'ended'];
const MOST_SOURCES = 64;
const LONGEST_SOURCE = 100;

/** Ours that speak of a pool as a whole. */
export const poolFamilies: readonly Family[] = [
  ofPool(tidemarkMetrics.connected, ({ snapshot }, sink) => sink.sample(snapshot === undefined ? 0 : 1)),
  ofPool(tidemarkMetrics.fleetWorkers, ({ snapshot }, sink) => {
    for (const [state, count] of Object.entries(snapshot?.fleet ?? {})) sink.sample(count as number, state);
  }),
  ofPool(tidemarkMetrics.mark, ({ snapshot }, sink) => {
    if (snapshot === undefined) return;
    const { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac } =
      snapshot.thresholds;
    const marks = {
      activeDecodeBlocksThreshold,
      activePrefillTokensThreshold,
      activePrefillTokensThresholdFrac,
    };
    for (const [mark, value] of Object.entries(marks)) if (value !== null) sink.sample(value, mark);
  }),
  ofPool(tidemarkMetrics.sourceState, (pool, sink) => {
    for (const [source, { state }] of sourcesOf(pool)) {
      for (const one of states) sink.sample(one === state ? 1 : 0, source, one);
    }
  }),
  ofPool(tidemarkMetrics.sourceStateSince, (pool, sink) => {
    for (const [source, { since }] of sourcesOf(pool)) sink.sample(since / 1000, source);
  }),
  ofPool(tidemarkMetrics.transitions, ({ counts }, sink) => {
    for (const [direction, checks] of Object.entries(counts?.transitions ?? {})) {
      for (const [check, count] of checks) sink.sample(count, check, direction);
    }
  }),
  ofPool(tidemarkMetrics.problems, ({ counts }, sink) => {
    for (const [code, count] of counts?.problems ?? []) sink.sample(count, code);
  }),
  ofPool(tidemarkMetrics.loadMessages, ({ account }, sink) => {
    if (account !== undefined) sink.sample(account.messages);
  }),
  ofPool(tidemarkMetrics.loadsUndecodable, ({ account }, sink) => {
    if (account !== undefined) sink.sample(account.failed);
  }),
  ofPool(tidemarkMetrics.sequenceGaps, ({ account }, sink) => {
    if (account !== undefined) sink.sample(account.sequences.gaps);
  }),
  ofPool(tidemarkMetrics.loadsMissing, ({ account }, sink) => {
    if (account === undefined) return;
    const { missing, missingDetached } = account.sequences;
    sink.sample(missingDetached, 'true');
    sink.sample(missing - missingDetached, 'false');
  }),
];

function ofPool(metric: Metric, samples: (pool: PoolAtScrape, sink: SampleSink) => void): Family {
  return {
    metric,
    *samples(pools, sink) {
      for (const pool of pools) {
        sink.begin(metric, pool.labels);
        samples(pool, sink);
        yield;
      }
    },
  };
}

/** The statuses by the name of their source, as far as the label is bounded. */
function sourcesOf({
  snapshot,
}: PoolAtScrape): Map<string, { readonly state: SourceState; readonly since: number }> {
  const statuses = (snapshot?.status ?? []).slice(0, MOST_SOURCES);
  return new Map(statuses.map((status) => [status.source.slice(0, LONGEST_SOURCE), status]));
}
