import type { ClientPolicy } from './client-policy.js';

const dynamo10 = {
  name: 'dynamo-1.0',
  freeAmong: 'discovered',
  overloadedUntil: 'reconcile',
  requestMarks: 'ignored',
  reconciliationNeeded: 'since-a-mark',
  watched: 'available',
  prefillClient: 'not-told',
} as const satisfies ClientPolicy;

const dynamo14 = {
  name: 'dynamo-1.4',
  freeAmong: 'routable',
  overloadedUntil: 'departure',
  requestMarks: { maximumMs: null },
  reconciliationNeeded: 'since-a-mark',
  watched: 'discovered',
  prefillClient: 'told',
} as const satisfies ClientPolicy;

const dynamo16 = {
  ...dynamo14,
  name: 'dynamo-1.6',
  requestMarks: { maximumMs: 1000 },
  reconciliationNeeded: 'while-a-mark-lasts',
  prefillClient: 'not-told',
} as const satisfies ClientPolicy;

/**
 * The table of client policies: the generations of Dynamo's client, each with its mistakes, and `default`,
 * tidemark's own, which is the newest one and also serves as a prefill client.
 *
 * | | 0.8, 1.0, 1.1 | 1.4 | 1.6 | default |
 * |---|---|---|---|---|
 * | free | discovered − busy | routable − overloaded | as 1.4 | as 1.4 |
 * | overloaded ends | at the next reconcile: **after 5 s a busy worker is free again** | when it leaves | as 1.4 | as 1.4 |
 * | marks of the request path | – | until a publication | until a publication, at most 1 s | as 1.6 |
 * | asks for a publication | – | from a mark to a publication | while a mark lasts | as 1.6 |
 * | prefill client is told | no | yes | no, it has a monitor of its own | yes |
 *
 * @see {@link ClientPolicy}, {@link instanceClient}
 */
export const clientPolicies = {
  'dynamo-0.8': { ...dynamo10, name: 'dynamo-0.8' },
  'dynamo-1.0': dynamo10,
  'dynamo-1.1': { ...dynamo10, name: 'dynamo-1.1' },
  'dynamo-1.4': dynamo14,
  'dynamo-1.6': dynamo16,
  default: { ...dynamo16, name: 'default', prefillClient: 'told' },
} as const satisfies Record<string, ClientPolicy>;
