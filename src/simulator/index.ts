export { FleetPlanError, type FleetPlan } from './fleet-plan.js';
export { simulateFleet } from './simulate-fleet.js';
export type { SimulatedFact } from './simulated-fact.js';
