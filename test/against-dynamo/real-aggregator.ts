import { join } from 'node:path';
import { dynamoPython } from './dynamo-python.js';
import { PythonProcess, type Servers } from './python-process.js';

/** The metrics of Dynamo's aggregator: numbers as text, endpoints with tidemark's names. */
export interface RealMetrics {
  readonly loadAvg: string;
  readonly loadStd: string;
  readonly endpoints: readonly { readonly workerId: string; readonly kvActiveBlocks: number }[];
}

/** The `KvMetricsAggregator` of 0.6.0, which polls the component `dynamo.backend`. */
export interface RealAggregator extends AsyncDisposable {
  /** The current metrics. */
  metrics(): Promise<RealMetrics>;
}

/** Starts the aggregator of 0.6.0, and waits until it polls. */
export async function startRealAggregator(servers: Servers): Promise<RealAggregator> {
  const args = [join(import.meta.dirname, 'real-aggregator.py'), 'dynamo', 'backend'];
  const process = new PythonProcess(await dynamoPython('0.6.0'), args, servers);
  let requests = 0;
  await process.answer(0);
  return {
    metrics: () => {
      process.write('');
      requests += 1;
      return process.answer(requests) as Promise<RealMetrics>;
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
