import { join } from 'node:path';
import type { WorkerRole } from '../../src/core/sources/worker-info.js';
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
  /** What the model card of 1.6 says. `aggregated` when absent. */
  readonly role?: WorkerRole;
  /** The roles that must be present for this worker to be ready: an OR of ANDs. None when absent. */
  readonly needs?: readonly (readonly WorkerRole[])[];
  /** Where it serves. `dynamo.backend.generate` when absent. */
  readonly endpoint?: string;
}

/** A worker of the real runtime. */
export interface RealWorker extends AsyncDisposable {
  readonly id: WorkerId;
  /** Publishes a load: the arguments of `publish`, and optionally the index of the `publisher`. */
  publish(load: Readonly<Record<string, number>>): void;
  /** Ends it in an orderly way, so that its keys are gone. */
  leave(): Promise<void>;
}

/** Starts a worker of the real runtime, and waits until it is registered. */
export async function startRealWorker(plan: RealWorkerPlan, servers: Servers): Promise<RealWorker> {
  const { release, modelPath, model, config, publishers = 1 } = plan;
  const { role = 'aggregated', needs = [], endpoint = 'dynamo.backend.generate' } = plan;
  const args = [
    ...[join(import.meta.dirname, 'real-worker.py'), release, modelPath, model, endpoint],
    ...[JSON.stringify(config), `${publishers}`, role, JSON.stringify(needs)],
  ];
  const process = new PythonProcess(await dynamoPython(release), args, servers);
  const { workerId: id } = (await process.answer(0)) as { workerId: string };
  return {
    id: workerId(id),
    publish: (load) => process.write(JSON.stringify(load)),
    leave: () => process.finish(),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
