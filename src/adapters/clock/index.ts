export { monotonicScheduler } from './monotonic-scheduler.js';
