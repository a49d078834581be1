import type { LoadThresholdUpdate } from '../core/load-thresholds.js';
import type { FleetSource, LoadReported, SchedulerLoad } from '../core/fleet-event.js';
import type { RuntimeConfig } from '../core/runtime-config.js';
import type { WorkerId } from '../core/worker-id.js';
import { DecodeFailure } from './decode-error.js';
import { field, objectOf, requiredField, stringOf, u32Field } from './json-fields.js';
import type { JsonNode, JsonObjectNode } from './json-node.js';
import type { RecordedEvent, RecordedStart } from './recording.js';
import { recordedProblem } from './recorded-problem.js';
import {
  booleanOf,
  bytesOf,
  countField,
  fractionOf,
  itemsOf,
  oneOf,
  present,
  rankOf,
  workerIdOf,
  workerIdsField,
} from './recording-fields.js';

/** The event that a line of a recording tells. Unknown fields are passed over, an unknown kind is a failure. */
export function recordedEvent(node: JsonNode): RecordedEvent {
  const event = objectOf(node, 'event');
  const kindNode = requiredField(event, 'kind');
  const kind = stringOf(kindNode, 'kind');
  const text = (): { text?: string } => present('text', field(event, 'text'), stringOf);
  const watch = (): { watch?: number } => present('watch', field(event, 'watch'), rankOf);
  const worker = (): WorkerId => workerIdOf(requiredField(event, 'workerId'), 'workerId');
  switch (kind) {
    case 'start':
      return start(event);
    case 'load':
      return load(event);
    case 'message':
      return { kind, payload: bytesOf(requiredField(event, 'payloadHex'), 'payloadHex') };
    case 'schedulerLoads':
      return { kind, loads: itemsOf(requiredField(event, 'loads'), 'loads').map(schedulerLoad) };
    case 'configs':
      return { kind, workers: configs(objectOf(requiredField(event, 'workers'), 'workers')) };
    case 'config': {
      const config = requiredField(event, 'config');
      return { kind, workerId: worker(), config: config.kind === 'null' ? null : runtimeConfig(config) };
    }
    case 'instance': {
      const role = present('role', field(event, 'role'), (n) =>
        oneOf(n, 'role', ['decode', 'prefill'] as const),
      );
      return {
        kind,
        workerId: worker(),
        present: booleanOf(requiredField(event, 'present'), 'present'),
        ...role,
        ...watch(),
      };
    }
    case 'decodeInstances':
    case 'prefillAttached':
      return { kind, workerIds: workerIdsField(event, 'workerIds') };
    case 'prefillInstances':
      return { kind, workerIds: workerIdsField(event, 'workerIds'), ...watch() };
    case 'prefillClosed':
      return { kind, ...watch() };
    case 'thresholds':
      return { kind, ...marks(event), ...present('checked', field(event, 'checked'), booleanOf) };
    case 'marked':
    case 'markExpired':
    case 'reportedDown':
      return { kind, workerId: worker() };
    case 'loadError':
    case 'configError':
    case 'instancesError':
      return { kind, ...text() };
    case 'problem':
      return { kind, problem: recordedProblem(requiredField(event, 'problem')) };
    case 'loadStreamEnded':
    case 'configsEnded':
    case 'instancesEnded':
    case 'stop':
      return { kind };
    default:
      throw new DecodeFailure(
        'malformed',
        `there is no event of kind ${JSON.stringify(kind)}`,
        kindNode.offset,
      );
  }
}

/** The marks that an object names. */
export function marks(object: JsonObjectNode): LoadThresholdUpdate {
  const fraction = (name: string): number | null | undefined => {
    const node = field(object, name);
    return node === undefined ? undefined : node.kind === 'null' ? null : fractionOf(node, name);
  };
  const tokens = 'activePrefillTokensThreshold';
  return {
    activeDecodeBlocksThreshold: fraction('activeDecodeBlocksThreshold'),
    [tokens]: field(object, tokens) === undefined ? undefined : countField(object, tokens),
    activePrefillTokensThresholdFrac: fraction('activePrefillTokensThresholdFrac'),
  };
}

function start(event: JsonObjectNode): RecordedStart {
  const ids = (name: string): readonly WorkerId[] | undefined =>
    field(event, name) === undefined ? undefined : workerIdsField(event, name);
  const decodeInstances = ids('decodeInstances');
  const prefillInstances = ids('prefillInstances');
  const sources = ['aggregated', 'decode', 'prefill'] as const satisfies readonly FleetSource[];
  return {
    kind: 'start',
    thresholds: marks(objectOf(field(event, 'thresholds') ?? { ...event, members: [] }, 'thresholds')),
    ...(decodeInstances && { decodeInstances }),
    ...(prefillInstances && { prefillInstances }),
    ...present('loads', field(event, 'loads'), booleanOf),
    ...present('cards', field(event, 'cards'), booleanOf),
    ...present('source', field(event, 'source'), (node) => oneOf(node, 'source', sources)),
    ...present('name', field(event, 'name'), stringOf),
    ...present('about', field(event, 'about'), stringOf),
  };
}

function load(event: JsonObjectNode): LoadReported {
  const id = countField(event, 'publisherId');
  const sequence = countField(event, 'sequence');
  const publishedAt = countField(event, 'publishedAt');
  return {
    kind: 'load',
    workerId: workerIdOf(requiredField(event, 'workerId'), 'workerId'),
    dpRank: u32Field(event, 'dpRank', 0),
    activeDecodeBlocks: countField(event, 'activeDecodeBlocks'),
    activePrefillTokens: countField(event, 'activePrefillTokens'),
    kvUsedBlocks: countField(event, 'kvUsedBlocks'),
    ...present('topic', field(event, 'topic'), stringOf),
    ...present('source', field(event, 'source'), stringOf),
    ...(id !== null && { publisherId: String(id) }),
    ...(sequence !== null && { sequence }),
    ...(publishedAt !== null && { publishedAt }),
  };
}

function schedulerLoad(node: JsonNode): SchedulerLoad {
  const object = objectOf(node, 'a scheduler load');
  const count = (name: string): number | bigint => {
    const value = countField(object, name);
    if (value === null) throw new DecodeFailure('missing-field', `${name} is missing`, object.offset);
    return value;
  };
  return {
    workerId: workerIdOf(requiredField(object, 'workerId'), 'workerId'),
    dpRank: u32Field(object, 'dpRank', 0),
    activeDecodeBlocks: count('activeDecodeBlocks'),
    activePrefillTokens: count('activePrefillTokens'),
  };
}

function configs(object: JsonObjectNode): ReadonlyMap<WorkerId, RuntimeConfig> {
  const workers = new Map<WorkerId, RuntimeConfig>();
  for (const { key, offset, value } of object.members) {
    const id = workerIdOf({ kind: 'string', offset, value: key }, 'a worker of workers');
    if (workers.has(id)) throw new DecodeFailure('duplicate-key', `worker ${id} stands twice`, offset);
    workers.set(id, runtimeConfig(value));
  }
  return workers;
}

function runtimeConfig(node: JsonNode): RuntimeConfig {
  const object = objectOf(node, 'a card');
  const totalKvBlocks = countField(object, 'totalKvBlocks');
  const maxNumBatchedTokens = countField(object, 'maxNumBatchedTokens');
  return {
    ...(totalKvBlocks !== null && { totalKvBlocks }),
    ...(maxNumBatchedTokens !== null && { maxNumBatchedTokens }),
    ...present('dataParallelStartRank', notNull(field(object, 'dataParallelStartRank')), rankOf),
    ...present('dataParallelSize', notNull(field(object, 'dataParallelSize')), rankOf),
  };
}

function notNull(node: JsonNode | undefined): JsonNode | undefined {
  return node?.kind === 'null' ? undefined : node;
}
