// The service.
export { startService, type Service } from './start-service.js';
export type { ServiceOptions } from './service-options.js';
export type { ApiRelease } from './http/busy-threshold/threshold-api.js';
export { ServiceError } from './service-error.js';

// What it serves.
export { FleetPools } from './pools/fleet-pools.js';
export type { PoolRules } from './pools/fleet-pools.js';
export type { Fleet } from './pools/live-fleet.js';
export { liveFleet, type LiveFleetOptions } from './pools/live-fleet.js';
export { givenPool, type PoolChange, type Pools } from './pools/pools.js';
export type { Pool } from './pools/pools.js';

// Dynamo's frontends.
export {
  frontendThresholds,
  type FrontendThresholds,
  type FrontendOptions,
  type FrontendReport,
} from './frontends/frontend-thresholds.js';
