import type { EndpointName } from '../core/endpoint-name.js';
import type { RuntimeConfig } from '../core/runtime-config.js';
import type { WorkerInfo } from '../core/worker-info.js';
import type { WorkerId } from '../core/worker-id.js';
import type { KnownRecord } from './known-record.js';

/** What all keys of one worker say together. */
export interface WorkerView {
  readonly info: WorkerInfo;
  /** The configuration of the card that counts for the worker as a whole, `null` without one. */
  readonly config: RuntimeConfig | null;
  /** By path of the endpoint, in the order of the paths. */
  readonly places: ReadonlyMap<string, WorkerPlace>;
}

/** A worker at one endpoint. */
export interface WorkerPlace {
  readonly at: EndpointName;
  readonly present: boolean;
  readonly config: RuntimeConfig | null;
  /** What it serves here, by the card that counts; `null` without one. */
  readonly model: string | null;
}

type Card = Extract<KnownRecord, { kind: 'card' }>;

/**
 * Puts together what the keys of a worker say, whatever order they came in. Of several base cards at one endpoint,
 * and of those of several endpoints, the one counts whose key sorts last; no other key has a say in it.
 */
export function workerViewOf(workerId: WorkerId, records: ReadonlyMap<string, KnownRecord>): WorkerView {
  const places = new Map<string, WorkerPlace>();
  const loras = new Set<string>();
  let counting: Card | undefined;
  for (const [, record] of inOrder(records)) {
    const { at, path } = record;
    const place = places.get(path) ?? { at, present: false, config: null, model: null };
    if (record.kind === 'instance') {
      places.set(path, { ...place, present: true });
    } else if (record.lora === null) {
      counting = record;
      places.set(path, { ...place, config: record.config, model: record.model });
    } else {
      loras.add(record.lora);
      places.set(path, place);
    }
  }
  const sorted = inOrder(places);
  const endpoints = sorted.map(([, { at }]) => at);
  const primary = counting?.at ?? endpoints[0] ?? NOWHERE;
  return {
    info: {
      workerId,
      ...primary,
      endpoints,
      model: counting?.model ?? null,
      loras: [...loras].sort(),
    },
    config: counting?.config ?? null,
    places: new Map(sorted),
  };
}

/** A worker without any key is nowhere; nobody asks for one. */
const NOWHERE: EndpointName = { namespace: '', component: '', endpoint: '' };

function inOrder<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
