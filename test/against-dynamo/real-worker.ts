import { join } from 'node:path';
import { workerId, type WorkerId } from '../../src/core/worker-id.js';
import { eventually } from '../support/eventually.js';
import { dynamoPython } from './dynamo-python.js';
import { PythonProcess, type Servers } from './python-process.js';
import type { ReleaseName } from './releases.js';

/** What a worker says of itself in its card, in Dynamo's names. */
export interface RealWorkerPlan {
  readonly release: ReleaseName;
  readonly modelPath: string;
  readonly model: string;
  readonly config: Readonly<Record<string, number>>;
}

/** A worker of the real runtime. */
export interface RealWorker extends AsyncDisposable {
  readonly id: WorkerId;
  /** Arguments of the real publisher's `publish`. */
  publish(load: Readonly<Record<string, number>>): void;
}

/** Starts a worker of the real runtime, and waits until it is registered. */
export async function startRealWorker(
  { release, modelPath, model, config }: RealWorkerPlan,
  servers: Servers,
): Promise<RealWorker> {
  const script = join(import.meta.dirname, 'real-worker.py');
  const args = [script, release, modelPath, model, 'dynamo.backend.generate', JSON.stringify(config)];
  const process = new PythonProcess(await dynamoPython(release), args, servers);
  const id = await eventually(() => {
    process.check();
    const line = process.lines.find((text) => text.startsWith('{"workerId"'));
    if (line === undefined) throw new Error(process.log);
    return workerId((JSON.parse(line) as { workerId: string }).workerId);
  }, 60_000);
  return {
    id,
    publish: (load) => process.say(JSON.stringify(load)),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
