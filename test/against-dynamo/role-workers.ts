import type { WorkerRole } from '../../src/core/sources/worker-info.js';
import type { WorkerId } from '../../src/core/worker-id.js';
import type { Servers } from './python-process.js';
import { type RealWorker, type RealWorkerPlan, startRealWorker } from './real-worker.js';

/** The needs that the workers of vLLM and SGLang put into their model cards. */
const needsOf: Readonly<Record<WorkerRole, readonly (readonly WorkerRole[])[]>> = {
  aggregated: [],
  decode: [['prefill']],
  prefill: [['decode']],
  encode: [['decode']],
};

/** Real workers of several roles, by default each role at the endpoint `dynamo.ROLE.generate`. */
export class RoleWorkers implements AsyncDisposable {
  private readonly present = new Map<RealWorker, WorkerRole>();

  constructor(
    private readonly plan: Pick<RealWorkerPlan, 'release' | 'modelPath' | 'model' | 'config'>,
    private readonly servers: Servers,
  ) {}

  async join(
    role: WorkerRole,
    different: Pick<RealWorkerPlan, 'needs' | 'endpoint'> = {},
  ): Promise<RealWorker> {
    const own = { role, needs: needsOf[role], endpoint: `dynamo.${role}.generate` };
    const worker = await startRealWorker({ ...this.plan, ...own, ...different }, this.servers);
    this.present.set(worker, role);
    return worker;
  }

  async leave(...workers: readonly RealWorker[]): Promise<void> {
    await Promise.all(
      workers.map(async (worker) => {
        await worker.leave();
        this.present.delete(worker);
        await worker[Symbol.asyncDispose]();
      }),
    );
  }

  /** The ids of the present workers of a role. */
  ids(role: WorkerRole): WorkerId[] {
    return [...this.present].filter(([, its]) => its === role).map(([{ id }]) => id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.present.keys()].map((worker) => worker[Symbol.asyncDispose]()));
  }
}
