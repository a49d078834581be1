import type { Problem } from '../problem.js';
import type { SourceStatus } from '../source-status.js';
import type { WorkerId } from '../worker-id.js';
import type { AggregatorSettings } from './aggregator-options.js';
import { ProcessedEndpoints } from './processed-endpoints.js';

/** What is known after a round, and what that round brought. */
export interface AggregatorState {
  readonly endpoints: ProcessedEndpoints;
  readonly status: SourceStatus;
  /** What was wrong in the last round. */
  readonly problems: readonly Problem[];
  /** How many complete scrapes in a row did without each worker that is missed. */
  readonly misses: ReadonlyMap<WorkerId, number>;
  /** How many rounds in a row nobody answered, or the scrape failed. */
  readonly quiet: number;
  /** Whether there ever was a worker. */
  readonly found: boolean;
}

/** What is known before the first scrape. */
export function waitingState({ service, endpoint }: AggregatorSettings, now: number): AggregatorState {
  const why = `waiting for ${service}.${endpoint}`;
  return {
    endpoints: ProcessedEndpoints.none,
    status: { source: 'scrape', state: 'connecting', since: now, why },
    problems: [],
    misses: new Map(),
    quiet: 0,
    found: false,
  };
}

/** How long the next scrape waits. */
export function waitOf({ quiet }: AggregatorState, settings: AggregatorSettings): number {
  const { policy, waitMs, longestWaitMs } = settings;
  return policy.backOff === 'none' ? waitMs : Math.min(longestWaitMs, waitMs * 2 ** quiet);
}
