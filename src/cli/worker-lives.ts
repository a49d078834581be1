import { Observable, Subject } from 'rxjs';
import type { ActiveLoad } from '../core/active-load.js';
import type { LoadReported } from '../core/fleet-event.js';
import type { RuntimeConfig } from '../core/runtime-config.js';
import type { WorkerId } from '../core/worker-id.js';
import type { SimulatedFact } from '../simulator/simulated-fact.js';
import { decodeDiscoveryRecord } from '../wire/discovery-record.js';
import type { LoadDecoder } from '../wire/load-decoder.js';

/** A simulated worker from when it comes to when it leaves; its loads complete then. */
export interface WorkerLife {
  readonly config: RuntimeConfig;
  readonly loads$: Observable<ActiveLoad>;
}

/**
 * What a simulated fleet does, as lives of workers: one for each time that a worker comes. The ids that the simulator
 * made up tell them apart and go no further: a worker that comes back is a new one. When the facts end, so do all lives.
 */
export function workerLives(facts$: Observable<SimulatedFact>, decoder: LoadDecoder): Observable<WorkerLife> {
  return new Observable((subscriber) => {
    const lives = new Map<WorkerId, Subject<ActiveLoad>>();
    const end = (id: WorkerId): void => {
      lives.get(id)?.complete();
      lives.delete(id);
    };
    const facts = facts$.subscribe({
      next: (fact) => {
        if ('payload' in fact) {
          const load = loadOf(fact.payload, decoder);
          if (load !== null) lives.get(load.workerId)?.next(load);
          return;
        }
        const record = decodeDiscoveryRecord(fact);
        if ('error' in record || record.kind !== 'model' || record.instanceId === null) return;
        end(record.instanceId);
        if (record.removed) return;
        const loads$ = new Subject<ActiveLoad>();
        lives.set(record.instanceId, loads$);
        subscriber.next({ config: record.runtimeConfig, loads$ });
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => {
        for (const id of [...lives.keys()]) end(id);
        subscriber.complete();
      },
    });
    return facts;
  });
}

function loadOf(payload: Uint8Array, decoder: LoadDecoder): LoadReported | null {
  const decoded = decoder.decode(payload);
  return 'load' in decoded ? decoded.load : null;
}
