import type { WorkerId } from '../worker-id.js';
import type { LoadMetrics } from './load-metrics.js';

/** An endpoint of one worker, as it was scraped (Dynamo's `Endpoint`). */
export interface Endpoint {
  readonly name: string;
  /** Its NATS subject, which ends with the worker's id. */
  readonly subject: string;
  readonly workerId: WorkerId;
  readonly data: LoadMetrics;
}
