import type {
  LoadReceived,
  PoolRole,
  RuntimeConfig,
  SchedulerLoad,
  ThresholdTarget,
} from '../../core/events/fleet-event.js';
import { jsonReady } from '../../core/ordinary-value.js';
import type { LoadThresholdUpdate } from '../../core/policy/load-thresholds.js';
import { type Problem, problemCodes } from '../../core/sources/problem.js';
import type { WorkerId } from '../../core/worker-id.js';
import { type DecodeError, DecodeFailure, catchDecodeFailure } from '../decode-error.js';
import {
  field,
  itemsOf,
  objectOf,
  optionalU32,
  requiredField,
  stringOf,
  u32Field,
  u32Of,
} from '../json/json-fields.js';
import { type JsonValue, toJsonNode } from '../json/json-value.js';
import type { JsonNode, JsonObjectNode } from '../json/lossless-json.js';
import {
  booleanOf,
  bytesOf,
  countField,
  fractionOf,
  oneOf,
  optionalMember,
  workerIdOf,
  workerIdsField,
} from './recording-fields.js';
import type { RecordedEvent, RecordedStart } from './recording.js';

const problemSources = ['loads', 'configs', 'instances', 'thresholds', 'events', 'scrape'] as const;

/** Reads a recorded problem. */
function readRecordedProblem(node: JsonNode): Problem {
  const problem = objectOf(node, 'problem');
  return {
    code: oneOf(requiredField(problem, 'code'), 'code', problemCodes),
    source: oneOf(requiredField(problem, 'source'), 'source', problemSources),
    text: stringOf(requiredField(problem, 'text'), 'text'),
    ...optionalMember('workerId', field(problem, 'workerId'), workerIdOf),
    count: Number(countField(problem, 'count') ?? 1),
  };
}

/** Reads a recorded event. Unknown fields are ignored; an unknown kind is a failure. */
export function readRecordedEvent(node: JsonNode): RecordedEvent {
  const event = objectOf(node, 'event');
  const kindNode = requiredField(event, 'kind');
  const kind = stringOf(kindNode, 'kind');
  const text = (): { text?: string } => optionalMember('text', field(event, 'text'), stringOf);
  const watch = (): { watch?: number } => optionalMember('watch', field(event, 'watch'), u32Of);
  const worker = (): WorkerId => workerIdOf(requiredField(event, 'workerId'), 'workerId');
  switch (kind) {
    case 'start':
      return readStart(event);
    case 'load':
      return readLoad(event);
    case 'message':
      return { kind, payload: bytesOf(requiredField(event, 'payloadHex'), 'payloadHex') };
    case 'schedulerLoads':
      return { kind, loads: itemsOf(requiredField(event, 'loads'), 'loads').map(readSchedulerLoad) };
    case 'configs':
      return { kind, workers: readConfigs(objectOf(requiredField(event, 'workers'), 'workers')) };
    case 'config': {
      const config = requiredField(event, 'config');
      return { kind, workerId: worker(), config: config.kind === 'null' ? null : readRuntimeConfig(config) };
    }
    case 'instance': {
      const role = optionalMember('role', field(event, 'role'), (n) =>
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
      return jsonReady({
        kind,
        ...readThresholds(event),
        ...optionalMember('target', field(event, 'target'), readTarget),
        ...optionalMember('checked', field(event, 'checked'), booleanOf),
        ...optionalMember('nullTurnsOff', field(event, 'nullTurnsOff'), booleanOf),
      });
    case 'marked':
    case 'markExpired':
    case 'reportedDown':
      return { kind, workerId: worker() };
    case 'loadError':
    case 'configError':
    case 'instancesError':
      return { kind, ...text() };
    case 'problem':
      return { kind, problem: readRecordedProblem(requiredField(event, 'problem')) };
    case 'loadStreamEnded':
    case 'configsEnded':
    case 'instancesEnded':
    case 'stop':
      return { kind };
    default:
      throw new DecodeFailure(
        'malformed',
        `${JSON.stringify(kind)} is not a known kind of event`,
        kindNode.offset,
      );
  }
}

const poolRoles = ['aggregated', 'decode', 'prefill'] as const satisfies readonly PoolRole[];

function readTarget(node: JsonNode): ThresholdTarget {
  if (node.kind === 'string') return oneOf(node, 'target', ['everything'] as const);
  const target = objectOf(node, 'target');
  const worker = field(target, 'workerId');
  if (worker !== undefined) return { workerId: workerIdOf(worker, 'workerId') };
  return { role: oneOf(requiredField(target, 'role'), 'role', poolRoles) };
}

/** Reads the thresholds that an object names. */
export function readThresholds(object: JsonObjectNode): LoadThresholdUpdate {
  const fraction = (name: string): number | null | undefined => {
    const node = field(object, name);
    return node === undefined ? undefined : node.kind === 'null' ? null : fractionOf(node, name);
  };
  const tokens = 'activePrefillTokensThreshold';
  return jsonReady({
    activeDecodeBlocksThreshold: fraction('activeDecodeBlocksThreshold'),
    [tokens]: field(object, tokens) === undefined ? undefined : countField(object, tokens),
    activePrefillTokensThresholdFrac: fraction('activePrefillTokensThresholdFrac'),
  });
}

function readStart(event: JsonObjectNode): RecordedStart {
  const ids = (name: string): readonly WorkerId[] | undefined =>
    field(event, name) === undefined ? undefined : workerIdsField(event, name);
  const decodeInstances = ids('decodeInstances');
  const prefillInstances = ids('prefillInstances');
  return {
    kind: 'start',
    thresholds: readThresholds(
      objectOf(field(event, 'thresholds') ?? { ...event, members: [] }, 'thresholds'),
    ),
    ...(decodeInstances && { decodeInstances }),
    ...(prefillInstances && { prefillInstances }),
    ...optionalMember('loads', field(event, 'loads'), booleanOf),
    ...optionalMember('configs', field(event, 'cards'), (node) => booleanOf(node, 'cards')),
    ...optionalMember('role', field(event, 'source'), (node) => oneOf(node, 'source', poolRoles)),
    ...optionalMember('name', field(event, 'name'), stringOf),
    ...optionalMember('about', field(event, 'about'), stringOf),
  };
}

function readLoad(event: JsonObjectNode): LoadReceived {
  const id = countField(event, 'publisherId');
  const sequence = countField(event, 'sequence');
  const publishedAt = countField(event, 'publishedAt');
  return jsonReady({
    kind: 'load',
    workerId: workerIdOf(requiredField(event, 'workerId'), 'workerId'),
    dpRank: u32Field(event, 'dpRank', 0),
    activeDecodeBlocks: countField(event, 'activeDecodeBlocks'),
    activePrefillTokens: countField(event, 'activePrefillTokens'),
    kvUsedBlocks: countField(event, 'kvUsedBlocks'),
    ...optionalMember('topic', field(event, 'topic'), stringOf),
    ...optionalMember('source', field(event, 'source'), stringOf),
    ...(id !== null && { publisherId: String(id) }),
    ...(sequence !== null && { sequence }),
    ...(publishedAt !== null && { publishedAt }),
  });
}

function readSchedulerLoad(node: JsonNode): SchedulerLoad {
  const object = objectOf(node, 'a scheduler load');
  const count = (name: string): number | bigint => {
    const value = countField(object, name);
    if (value === null) throw new DecodeFailure('missing-field', `${name} is missing`, object.offset);
    return value;
  };
  return jsonReady({
    workerId: workerIdOf(requiredField(object, 'workerId'), 'workerId'),
    dpRank: u32Field(object, 'dpRank', 0),
    activeDecodeBlocks: count('activeDecodeBlocks'),
    activePrefillTokens: count('activePrefillTokens'),
  });
}

function readConfigs(object: JsonObjectNode): ReadonlyMap<WorkerId, RuntimeConfig> {
  const workers = new Map<WorkerId, RuntimeConfig>();
  for (const { key, offset, value } of object.members) {
    const id = workerIdOf({ kind: 'string', offset, value: key }, 'a worker of workers');
    if (workers.has(id)) throw new DecodeFailure('duplicate-key', `duplicate worker ${id}`, offset);
    workers.set(id, readRuntimeConfig(value));
  }
  return jsonReady(workers);
}

function readRuntimeConfig(node: JsonNode): RuntimeConfig {
  const object = objectOf(node, 'a config');
  const totalKvBlocks = countField(object, 'totalKvBlocks');
  const maxNumBatchedTokens = countField(object, 'maxNumBatchedTokens');
  const dataParallelStartRank = optionalU32(object, 'dataParallelStartRank');
  const dataParallelSize = optionalU32(object, 'dataParallelSize');
  return jsonReady({
    ...(totalKvBlocks !== null && { totalKvBlocks }),
    ...(maxNumBatchedTokens !== null && { maxNumBatchedTokens }),
    ...(dataParallelStartRank !== null && { dataParallelStartRank }),
    ...(dataParallelSize !== null && { dataParallelSize }),
  });
}

/** Reads an event from plain data in the form of a recording. Unknown fields are ignored. */
export function parseRecordedEvent(
  value: JsonValue,
): { readonly event: RecordedEvent } | { readonly error: DecodeError } {
  return catchDecodeFailure(() => ({ event: readRecordedEvent(toJsonNode(value)) }));
}
