import { join } from 'node:path';
import { workerId, type WorkerId } from '../../src/core/worker-id.js';
import type { PublishedMetrics } from '../support/published-metrics.js';
import { dynamoPython } from './dynamo-python.js';
import { PythonProcess, type Servers } from './python-process.js';

/** A worker of 0.6.0 that answers scrapes. */
export interface RealScrapedWorker extends AsyncDisposable {
  readonly id: WorkerId;
  publish(metrics: PublishedMetrics): void;
}

/** Starts a worker of 0.6.0 in the component `dynamo.backend`, and waits until it serves. */
export async function startRealScrapedWorker(servers: Servers): Promise<RealScrapedWorker> {
  const args = [join(import.meta.dirname, 'real-scraped-worker.py'), 'dynamo', 'backend'];
  const process = new PythonProcess(await dynamoPython('0.6.0'), args, servers);
  const { workerId: id } = (await process.answer(0)) as { workerId: string };
  return {
    id: workerId(id),
    publish: (metrics) => process.write(JSON.stringify(metrics)),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
