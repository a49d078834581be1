import { fleetStateOf, type FleetState } from '../../core/fleet-state.js';
import type { FleetCounts } from '../../core/fleet-counts.js';
import type { LoadThresholds } from '../../core/load-thresholds.js';
import type { WorkerId } from '../../core/worker-id.js';
import { RetryAfter } from '../retry-after.js';
import type { Pool } from './pool.js';

/** How a pool stands, as every route and event tells it. */
export interface PoolView {
  readonly model: string;
  /** `namespace.component.endpoint`. */
  readonly endpoint: string;
  readonly state: FleetState;
  /** When it is worth to ask again; `null` when nobody has to wait. */
  readonly retryAfterSeconds: number | null;
  readonly workers: FleetCounts;
}

/** The pool of a view, in all events about it. */
export type PoolLabel = Pick<PoolView, 'model' | 'endpoint'>;

const nobody: FleetCounts = { known: 0, held: 0, busy: 0, marked: 0, instances: 0, down: 0 };

export function poolLabel({ name: { model, endpoint } }: Pool): PoolLabel {
  return { model, endpoint: `${endpoint.namespace}.${endpoint.component}.${endpoint.endpoint}` };
}

/** The pools as they are told, with what was learned of each on the way. */
export class PoolViews {
  private readonly hints = new WeakMap<Pool, RetryAfter>();

  hintOf(pool: Pool): RetryAfter {
    const known = this.hints.get(pool) ?? new RetryAfter();
    this.hints.set(pool, known);
    return known;
  }

  viewOf(pool: Pool): PoolView {
    const workers = pool.monitor.snapshot()?.fleet ?? nobody;
    const state = fleetStateOf(workers);
    const retryAfterSeconds = this.hintOf(pool).seconds(state, workers.busy);
    return { ...poolLabel(pool), state, retryAfterSeconds, workers };
  }

  /** The same with who is busy, and above which marks. */
  wholeOf(
    pool: Pool,
  ): PoolView & { readonly marks: LoadThresholds | null; readonly busy: readonly WorkerId[] } {
    const snapshot = pool.monitor.snapshot();
    return { ...this.viewOf(pool), marks: marksOf(snapshot?.thresholds), busy: [...(snapshot?.busy ?? [])] };
  }
}

/** The marks alone. */
export function marksOf(marks: LoadThresholds | undefined): LoadThresholds | null {
  if (marks === undefined) return null;
  const { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac } =
    marks;
  return { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac };
}
