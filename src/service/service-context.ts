import type { EventReaders } from './events/event-readers.js';
import type { FrontendReport } from './frontends/frontend-marks.js';
import type { AdminGuard } from './admin-guard.js';
import type { ApiGeneration } from './busy-threshold/threshold-calls.js';
import type { MetricsPage } from './metrics-page.js';
import type { PoolViews } from './pools/pool-views.js';
import type { Pools } from './pools/pools.js';

/** What the routes of a running service work on. */
export interface ServiceContext {
  readonly pools: Pools;
  readonly views: PoolViews;
  readonly version: string;
  readonly readers: EventReaders;
  readonly page: MetricsPage;
  readonly guard: AdminGuard;
  readonly generation: ApiGeneration;
  readonly maxBodyBytes: number;
  /** What Dynamo's frontends said last; `null` when none is followed. */
  readonly frontends: () => readonly FrontendReport[] | null;
  /** Whether the service is ending: it answers, and is not ready. */
  readonly isDraining: () => boolean;
  readonly startedAt: number;
  readonly now: () => number;
}
