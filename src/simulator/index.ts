export { FleetPlanError, type FleetPlan } from './fleet-plan.js';
export { simulateFleet } from './simulate-fleet.js';
export type { SimulatedEvent } from './simulated-worker.js';
