export type { SimulatedEvent } from './encode-changes.js';
export { FleetPlanError, type FleetPlan } from './fleet-plan.js';
export { simulateFleet } from './simulate-fleet.js';
export { SimulatedRouter, type RequestCounts, type RouterPlan } from './simulated-router.js';
