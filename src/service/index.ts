// The service.
export { startService, type Service } from './start-service.js';
export type { ServiceOptions } from './service-options.js';
export type { ApiGeneration } from './busy-threshold/threshold-calls.js';
export { ServiceError } from './service-error.js';

// What it serves.
export { FleetPools } from './pools/fleet-pools.js';
export type { PoolRules } from './pools/fleet-pool.js';
export type { FleetSource } from './pools/fleet-source.js';
export { liveFleet, type LiveFleetOptions } from './pools/live-fleet.js';
export { givenPool, type PoolChange, type Pools } from './pools/pools.js';
export type { Pool } from './pools/pool.js';

// Dynamo's frontends.
export {
  frontendMarks,
  type FrontendMarks,
  type FrontendOptions,
  type FrontendReport,
} from './frontends/frontend-marks.js';
