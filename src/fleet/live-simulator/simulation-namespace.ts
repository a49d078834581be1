import {
  EMPTY,
  type Observable,
  concat,
  filter,
  merge,
  mergeMap,
  of,
  share,
  take,
  takeUntil,
  throwError,
} from 'rxjs';
import { type WatchPrefixOptions, watchPrefix } from '../../adapters/etcd/watch-prefix.js';
import { TidemarkError } from '../../core/errors.js';
import { plural } from '../../core/number-text.js';
import type { KeyChange } from '../../core/sources/key-source.js';
import type { SourceStatus } from '../../core/sources/source-status.js';
import type { WorkerId } from '../../core/worker-id.js';
import { discoveryPrefixes, parseDiscoveryKey } from '../../dynamo/discovery/discovery-keys.js';
import { decodeDiscoveryRecord } from '../../dynamo/discovery/discovery-record.js';
import { catchDecodeFailure } from '../../wire/decode-error.js';
import { field } from '../../wire/json/json-fields.js';
import { type JsonNode, parseLosslessJson } from '../../wire/json/lossless-json.js';

/** What the model card of a simulated worker says in `user_data`, a field that Dynamo keeps and does not read. */
export const SIMULATION_MARK = { simulated_by: 'tidemark' };

/**
 * The workers of a namespace that are not simulated: those without a model card that carries {@link SIMULATION_MARK}.
 * Workers of another simulator, or of one that was killed, are simulated.
 */
export function foreignWorkers(keys: readonly KeyChange[], namespace: string): ReadonlySet<WorkerId> {
  const found = new Set<WorkerId>();
  const simulated = new Set<WorkerId>();
  for (const change of keys) {
    const record = decodeDiscoveryRecord(change);
    // A value that cannot be read belongs to a worker as well.
    const about = 'error' in record ? parseDiscoveryKey(change.key) : record;
    if ('error' in about || (about.kind !== 'instance' && about.kind !== 'model')) continue;
    if (about.namespace !== namespace || about.instanceId === null) continue;
    found.add(about.instanceId);
    if (about.kind === 'model' && isMarked(change.value)) simulated.add(about.instanceId);
  }
  return new Set([...found].filter((id) => !simulated.has(id)));
}

function isMarked(value: Uint8Array | undefined): boolean {
  const marked = catchDecodeFailure(() => {
    const record = parseLosslessJson(value ?? new Uint8Array(0));
    const data = member(member(record, 'card_json') ?? record, 'user_data');
    return Object.entries(SIMULATION_MARK).every(([name, text]) => {
      const node = member(data, name);
      return node?.kind === 'string' && node.value === text;
    });
  });
  return marked === true;
}

function member(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === 'object' ? field(node, name) : undefined;
}

/** A namespace has workers that are not simulated. */
export class ForeignWorkersError extends TidemarkError {
  override readonly name = 'ForeignWorkersError';

  constructor(
    readonly namespace: string,
    readonly workers: ReadonlySet<WorkerId>,
  ) {
    const [are, them] = workers.size === 1 ? ['is', 'it'] : ['are', 'them'];
    super(
      'foreign-workers',
      `The namespace ${JSON.stringify(namespace)} has ${plural(workers.size, 'worker')} that ${are} not simulated, and simulated ` +
        `workers would mix with ${them}: choose another namespace (--namespace), or simulate there anyway (--force).`,
    );
  }
}

/**
 * Reads the keys of a namespace once. Completes if all of its workers are simulated, and errors with a
 * {@link ForeignWorkersError} otherwise. While etcd cannot be reached, it waits and emits the status.
 */
export function refuseForeignWorkers(
  namespace: string,
  etcd: Omit<WatchPrefixOptions, 'prefixes'>,
): Observable<SourceStatus> {
  const { changes$, status$ } = watchPrefix({ ...etcd, prefixes: discoveryPrefixes(namespace) });
  const verdict$ = changes$.pipe(
    take(1),
    mergeMap(({ changes }) => {
      const foreign = foreignWorkers(changes, namespace);
      return foreign.size === 0 ? EMPTY : throwError(() => new ForeignWorkersError(namespace, foreign));
    }),
    share(),
  );
  return merge(
    verdict$,
    status$.pipe(
      filter(({ state }) => state === 'down'),
      takeUntil(concat(verdict$, of(null))),
    ),
  );
}
