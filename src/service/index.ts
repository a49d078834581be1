// The service.
export { startService, type Service } from './start-service.js';
export type { ServiceOptions } from './service-options.js';
export type { ApiRelease } from './http/busy-threshold/threshold-api.js';
export { ServiceError } from './service-error.js';

// What it serves.
export { givenPool } from './given-pool.js';

// Dynamo's frontends.
export {
  frontendThresholds,
  type FrontendThresholds,
  type FrontendOptions,
  type FrontendReport,
} from './frontends/frontend-thresholds.js';
