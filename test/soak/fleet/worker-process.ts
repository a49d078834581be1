import process from 'node:process';
import { FleetWorker } from './fleet-worker.js';
import type { WorkerPlan } from './worker-plan.js';

// A worker in its own process, which will be killed. It exits with its parent process.
const worker = new FleetWorker(JSON.parse(process.argv[2] ?? '') as WorkerPlan);
worker.start();
process.stdin.once('end', () => process.exit()).resume();
