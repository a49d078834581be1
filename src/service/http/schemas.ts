import type { RouteAnswer, Schema } from './route.js';

const text: Schema = { type: 'string' };
const integer: Schema = { type: 'integer', minimum: 0 };
const moment: Schema = { type: 'string', format: 'date-time' };
/** Ids (64 bits) and counts above 2^53 − 1 are decimal strings. */
const id: Schema = { type: 'string', pattern: '^[0-9]+$' };
const count: Schema = { anyOf: [{ type: 'integer' }, id] };

function nullable(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

/** An object with exactly these members, of which some are optional. */
function objectOf(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

const state: Schema = { enum: ['none', 'unknown', 'free', 'partial', 'all-busy'] };
const counts = objectOf(
  Object.fromEntries(
    ['workers', 'busy', 'free', 'unknown', 'known', 'held', 'overloadMarked', 'instances', 'down'].map(
      (name) => [name, integer],
    ),
  ),
);
const judgedRole: Schema = { enum: ['decode', 'prefill'] };
const workerState: Schema = { enum: ['busy', 'free', 'unknown'] };
const label = { model: text, role: judgedRole, endpoint: text };
const poolSummary = { ...label, state, retryAfterSeconds: nullable(integer), workers: counts };
const role: Schema = { enum: ['aggregated', 'decode', 'prefill', 'encode'] };
const modelSummary = objectOf({
  model: text,
  adapterOf: nullable(text),
  state,
  retryAfterSeconds: nullable(integer),
  roles: listOf(objectOf({ role, state: nullable(state), workers: nullable(counts) })),
  readiness: listOf(objectOf({ namespace: text, ready: { type: 'boolean' }, missing: listOf(role) })),
});
const loadThresholds = objectOf({
  activeDecodeBlocksThreshold: nullable({ type: 'number' }),
  activePrefillTokensThreshold: nullable(count),
  activePrefillTokensThresholdFrac: nullable({ type: 'number' }),
});
const check = objectOf({
  check: {
    enum: ['activePrefillTokens', 'activePrefillTokensFrac', 'kvUsedBlocks', 'activeDecodeBlocks', 'latch'],
  },
  standing: { enum: ['above', 'within', 'no threshold set', 'no data', 'no capacity'] },
  value: nullable(count),
  limit: nullable(count),
  margin: nullable({ type: 'number' }),
});
const rank = objectOf({ rank: integer, busy: { type: 'boolean' }, checks: listOf(check) });
const workerSummary = {
  ...label,
  workerId: id,
  state: workerState,
  busy: { type: 'boolean' },
  overloadMarked: { type: 'boolean' },
  since: nullable(moment),
  reportedRanks: integer,
};
const workerExplanation = {
  ...label,
  workerId: id,
  state: workerState,
  unknownReason: nullable({
    enum: ['no-threshold', 'not-heard', 'no-capacity', 'no-signal', 'not-known'],
  }),
  busy: { type: 'boolean' },
  known: { type: 'boolean' },
  overloadMarked: { type: 'boolean' },
  since: nullable(moment),
  judgedRanks: integer,
  busyRanks: integer,
  neededRanks: integer,
  silentRanks: integer,
};
const threshold = objectOf({
  model: text,
  active_decode_blocks_threshold: nullable({ type: 'number' }),
  active_prefill_tokens_threshold: nullable({ type: 'integer', minimum: 0, maximum: 18446744073709552000 }),
  active_prefill_tokens_threshold_frac: nullable({ type: 'number' }),
});
const tokens = nullable({ anyOf: [{ type: 'integer', minimum: 0 }, id] });
const someThresholds = objectOf(
  {
    active_decode_blocks_threshold: nullable({ type: 'number', minimum: 0, maximum: 1 }),
    active_prefill_tokens_threshold: tokens,
    active_prefill_tokens_threshold_frac: nullable({ type: 'number', minimum: 0 }),
  },
  [
    'active_decode_blocks_threshold',
    'active_prefill_tokens_threshold',
    'active_prefill_tokens_threshold_frac',
  ],
);
const targetMembers = {
  model: { type: 'string', minLength: 1, maxLength: 1024 },
  role: judgedRole,
  worker_id: id,
};
const target = objectOf(targetMembers, Object.keys(targetMembers));
const origin = objectOf({
  at: moment,
  address: nullable(text),
  token: { enum: ['admin', null] },
  route: text,
});
const changed = { target, old: nullable(someThresholds), new: nullable(someThresholds) };
const resolved = (value: Schema): Schema => objectOf({ value, source: text, target }, ['target']);
const resolvedThresholds = objectOf({
  active_decode_blocks_threshold: resolved(nullable({ type: 'number' })),
  active_prefill_tokens_threshold: resolved(tokens),
  active_prefill_tokens_threshold_frac: resolved(nullable({ type: 'number' })),
});
const source = objectOf(
  {
    source: text,
    state: { enum: ['connecting', 'live', 'stale', 'down', 'ended'] },
    since: moment,
    why: text,
    code: text,
    retryInMs: integer,
  },
  ['why', 'code', 'retryInMs'],
);
const driftSchema = listOf(
  objectOf({
    model: text,
    threshold: text,
    values: listOf(objectOf({ url: text, value: nullable(count) })),
  }),
);

/** The JSON schemas of the responses. */
export const schemas = {
  index: objectOf({ name: text, version: text, routes: listOf(text) }),
  error: objectOf({ code: text, message: text }),
  thresholdError: objectOf({ error: text }),
  threshold,
  thresholds: objectOf({ thresholds: listOf(threshold) }),
  thresholdsOfTarget: {
    ...someThresholds,
    properties: { ...targetMembers, ...(someThresholds['properties'] as Schema) },
  },
  thresholdsToRemove: objectOf({ ...targetMembers, thresholds: listOf(text) }, [
    ...Object.keys(targetMembers),
    'thresholds',
  ]),
  thresholdChanged: objectOf(changed),
  thresholdBook: objectOf({
    entries: listOf(objectOf({ target, thresholds: someThresholds, origin })),
    pools: listOf(
      objectOf({
        ...label,
        thresholds: resolvedThresholds,
        workers: listOf(objectOf({ worker_id: id, thresholds: resolvedThresholds })),
      }),
    ),
    changes: listOf(objectOf({ ...changed, origin })),
  }),
  thresholdRequest: { ...threshold, required: ['model'], additionalProperties: true },
  busy: objectOf({
    state,
    retryAfterSeconds: nullable(integer),
    workers: counts,
    models: listOf(modelSummary),
    pools: listOf(objectOf({ ...poolSummary, thresholds: nullable(loadThresholds), busy: listOf(id) })),
  }),
  workers: objectOf({ workers: listOf(objectOf(workerSummary)), next: nullable(id) }),
  worker: objectOf({
    workerId: id,
    pools: listOf(
      objectOf({ ...workerExplanation, ranks: listOf(rank), recoveryConditions: listOf(text), text }),
    ),
  }),
  health: objectOf({
    status: { const: 'ok' },
    uptimeSeconds: integer,
    eventReaders: integer,
    readersCut: integer,
  }),
  readiness: objectOf({
    ready: { type: 'boolean' },
    why: listOf(text),
    state,
    missingSources: integer,
    sources: listOf(source),
  }),
  frontends: objectOf({
    frontends: listOf(
      objectOf({ url: text, state: text, since: moment, why: text, models: listOf(text) }, ['why']),
    ),
    drift: driftSchema,
  }),
  live: objectOf({ status: { const: 'live' }, message: text }),
  anything: { type: 'object' },
  text,
} satisfies Record<string, Schema>;

/** A JSON response. */
export function json(what: string, schema: Schema): RouteAnswer {
  return { text: what, content: { 'application/json': schema } };
}

/** A response that describes an error. */
export function problem(what: string): RouteAnswer {
  return json(what, schemas.error);
}
