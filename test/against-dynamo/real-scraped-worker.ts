import { join } from 'node:path';
import { workerId, type WorkerId } from '../../src/core/worker-id.js';
import { dynamoPython } from './dynamo-python.js';
import { PythonProcess, type Servers } from './python-process.js';

/** What a worker of 0.6 publishes, in Dynamo's names. */
export interface PublishedMetrics {
  readonly worker_stats: {
    readonly request_active_slots: number;
    readonly request_total_slots: number;
    readonly num_requests_waiting: number;
    readonly data_parallel_rank: number | null;
  };
  readonly kv_stats: {
    readonly kv_active_blocks: number;
    readonly kv_total_blocks: number;
    readonly gpu_cache_usage_perc: number;
    readonly gpu_prefix_cache_hit_rate: number;
  };
}

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
    publish: (metrics) => process.say(JSON.stringify(metrics)),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
