import { join } from 'node:path';
import { workerId, type WorkerId } from '../../src/core/worker-id.js';
import { dynamoPython } from './dynamo-python.js';
import { PythonProcess, type Servers } from './python-process.js';
import type { MonitoringRelease } from './releases.js';

/** A worker and its config, with Dynamo's names. */
export interface RealWorkerPlan {
  readonly release: MonitoringRelease;
  readonly modelPath: string;
  readonly model: string;
  readonly config: Readonly<Record<string, number>>;
  /** The number of publishers of the process. Defaults to 1, which publishes the loads of all ranks. */
  readonly publishers?: number;
}

/** A worker of the real runtime. */
export interface RealWorker extends AsyncDisposable {
  readonly id: WorkerId;
  /** Publishes a load: the arguments of `publish`, and optionally the index of the `publisher`. */
  publish(load: Readonly<Record<string, number>>): void;
}

/** Starts a worker of the real runtime, and waits until it is registered. */
export async function startRealWorker(
  { release, modelPath, model, config, publishers = 1 }: RealWorkerPlan,
  servers: Servers,
): Promise<RealWorker> {
  const script = join(import.meta.dirname, 'real-worker.py');
  const args = [
    script,
    release,
    modelPath,
    model,
    'dynamo.backend.generate',
    JSON.stringify(config),
    `${publishers}`,
  ];
  const process = new PythonProcess(await dynamoPython(release), args, servers);
  const { workerId: id } = (await process.answer(0)) as { workerId: string };
  return {
    id: workerId(id),
    publish: (load) => process.write(JSON.stringify(load)),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
