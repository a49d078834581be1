import type { WorkerChange, WorkerInfo } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';

const nobody: ReadonlySet<WorkerId> = new Set();

/** Which workers carry the model card of each LoRA adapter. */
export class AdapterCarriers {
  private readonly byAdapter = new Map<string, Set<WorkerId>>();
  private readonly byWorker = new Map<WorkerId, readonly string[]>();

  /** The workers that carry the card of an adapter. */
  of(adapter: string): ReadonlySet<WorkerId> {
    return this.byAdapter.get(adapter) ?? nobody;
  }

  update(change: WorkerChange): void {
    if ('workerId' in change) return this.put(change.workerId, change.info);
    for (const workerId of [...this.byWorker.keys()]) if (!change.has(workerId)) this.put(workerId, null);
    for (const [workerId, info] of change) this.put(workerId, info);
  }

  private put(workerId: WorkerId, info: WorkerInfo | null): void {
    for (const adapter of this.byWorker.get(workerId) ?? []) {
      const carriers = this.byAdapter.get(adapter);
      carriers?.delete(workerId);
      if (carriers?.size === 0) this.byAdapter.delete(adapter);
    }
    const loras = info?.loras ?? [];
    if (loras.length === 0) this.byWorker.delete(workerId);
    else this.byWorker.set(workerId, loras);
    for (const adapter of loras)
      this.byAdapter.set(adapter, (this.byAdapter.get(adapter) ?? new Set()).add(workerId));
  }
}
