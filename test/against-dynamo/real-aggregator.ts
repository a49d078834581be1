import { join } from 'node:path';
import { dynamoPython } from './dynamo-python.js';
import { PythonProcess, type Servers } from './python-process.js';

/** What the aggregator of Dynamo itself has: its numbers as their texts, its endpoints in the names of ours. */
export interface RealMetrics {
  readonly loadAvg: string;
  readonly loadStd: string;
  readonly endpoints: readonly { readonly workerId: string; readonly kvActiveBlocks: number }[];
}

/** The `KvMetricsAggregator` of 0.6.0, which polls the component `dynamo.backend`. */
export interface RealAggregator extends AsyncDisposable {
  /** What it has now. */
  metrics(): Promise<RealMetrics>;
}

/** Starts the aggregator of 0.6.0, and waits until it polls. */
export async function startRealAggregator(servers: Servers): Promise<RealAggregator> {
  const args = [join(import.meta.dirname, 'real-aggregator.py'), 'dynamo', 'backend'];
  const process = new PythonProcess(await dynamoPython('0.6.0'), args, servers);
  let asked = 0;
  await process.answer(0);
  return {
    metrics: () => {
      process.say('');
      asked += 1;
      return process.answer(asked) as Promise<RealMetrics>;
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
