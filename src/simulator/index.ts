export { FleetPlanError, type FleetPlan } from './fleet-plan.js';
export { simulateFleet } from './simulate-fleet.js';
export type { SimulatedEvent as SimulatedFact } from './simulated-worker.js';
