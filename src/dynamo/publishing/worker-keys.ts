import { TidemarkError } from '../../core/errors.js';
import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import { isRecord, oneOf, optionProblems, required, validatedElsewhere } from '../../core/option-problems.js';
import type { EndpointName, WorkerRole } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { InstanceTransport } from '../../wire/discovery/discovery-values.js';
import {
  type ModelFiles,
  encodeInstanceRecord,
  encodeModelRecord,
} from '../../wire/discovery/encode-discovery-record.js';
import { instanceKey, modelKey } from '../discovery/discovery-keys.js';

/** What a worker writes about itself. */
export interface WorkerKeysOptions extends EndpointName {
  /** The address for requests; a function if it depends on the id or the endpoint. */
  readonly transport: InstanceTransport | ((workerId: WorkerId, endpoint: string) => InstanceTransport);
  /** More endpoints of the same worker, without cards, such as `load_metrics` up to 0.6. */
  readonly moreEndpoints?: readonly string[];
  /**
   * The model card, with the size of the worker. Absent: only an instance. A Dynamo frontend serves the model only with
   * `files`.
   */
  readonly card?: {
    readonly model: string;
    /** What the worker does; `aggregated` when absent. */
    readonly role?: WorkerRole;
    readonly files?: ModelFiles;
    /** Anything that the worker says about itself, in the field `user_data`, which Dynamo keeps and does not read. */
    readonly userData?: Readonly<Record<string, string>>;
    readonly runtimeConfig: RuntimeConfig;
  };
  /** The release whose format to write. */
  readonly release: '0.6' | '1.0' | '1.6';
}

/** The rules of {@link WorkerKeysOptions}. */
export const workerKeysRules = {
  namespace: validatedElsewhere,
  component: validatedElsewhere,
  endpoint: validatedElsewhere,
  transport: required({
    what: '{ kind, address }, as strings, or a function that returns them',
    is: (value: unknown) => typeof value === 'function' || isTransport(value),
  }),
  moreEndpoints: { what: 'a list of names', is: (value: unknown) => Array.isArray(value) },
  card: {
    what: 'an object with model and runtimeConfig',
    is: (value: unknown) =>
      isRecord(value) && typeof value['model'] === 'string' && isRecord(value['runtimeConfig']),
  },
  release: required(oneOf(['0.6', '1.0', '1.6'])),
};

function isTransport(value: unknown): boolean {
  return isRecord(value) && typeof value['kind'] === 'string' && typeof value['address'] === 'string';
}

/**
 * The keys that a worker of Dynamo writes when it registers: its instances and its model card, which expire with its
 * lease.
 *
 * @returns a function from the id of the worker to its keys; it throws ScopeError for names that are not valid in a key
 * @throws TidemarkError, code `worker-keys`, for options that cannot be intended
 *
 * @example
 * ```ts
 * import { workerId } from 'tidemark';
 * import { workerKeys } from 'tidemark/dynamo';
 *
 * const at = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };
 * const transport = { kind: 'tcp', address: '10.0.0.5:41000/generate' } as const;
 * const card = { model: 'tiny', runtimeConfig: { totalKvBlocks: 1000 } };
 * for (const { key } of workerKeys({ ...at, transport, card, release: '1.6' })(workerId('7'))) console.log(key);
 * // Logs: v1/instances/dynamo/backend/generate/7
 * // Logs: v1/mdc/dynamo/backend/generate/7
 * ```
 *
 * @see {@link registerWorker}, which writes them to etcd
 */
export function workerKeys(
  options: WorkerKeysOptions,
): (workerId: WorkerId) => { readonly key: string; readonly value: Uint8Array }[] {
  const problems = optionProblems('workerKeys', options, workerKeysRules);
  if (problems.length > 0) throw new TidemarkError('worker-keys', `${problems.join('; ')}.`);
  const { namespace, component, transport, card, release } = options;
  return (instanceId) => {
    const at = { namespace, component, endpoint: options.endpoint, instanceId };
    const instances = [options.endpoint, ...(options.moreEndpoints ?? [])].map((endpoint) => {
      // The key validates the names.
      const key = instanceKey({ ...at, endpoint });
      const address = typeof transport === 'function' ? transport(instanceId, endpoint) : transport;
      return { key, value: encodeInstanceRecord({ ...at, endpoint, transport: address }, { release }) };
    });
    const model = card && { key: modelKey(at), value: encodeModelRecord({ ...at, ...card }, { release }) };
    return [...instances, ...(model ? [model] : [])];
  };
}
