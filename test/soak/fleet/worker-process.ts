import process from 'node:process';
import { FleetWorker } from './fleet-worker.js';
import type { WorkerPlan } from './worker-plan.js';

// One worker in a process of its own, which is there to be killed. It does not outlive whoever started it.
const worker = new FleetWorker(JSON.parse(process.argv[2] ?? '') as WorkerPlan);
worker.begin();
process.stdin.once('end', () => process.exit()).resume();
