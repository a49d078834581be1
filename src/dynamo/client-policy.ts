/**
 * The rules of an instance client as plain data: one cell for each property in which generations of Dynamo's client
 * differ. A policy of your own is a row of {@link clientPolicies} with some cells changed.
 */
export interface ClientPolicy {
  readonly name: string;
  /** Whose overloaded members are taken out to leave the free ones. `discovered` counts those reported down too. */
  readonly freeAmong: 'discovered' | 'routable';
  /**
   * Until when an overloaded worker stays so while nothing new is published: until the next reconcile, which comes
   * with every change of the instances and every five seconds, or until the worker leaves.
   */
  readonly overloadedUntil: 'reconcile' | 'departure';
  /** The request path's own marks: not known, or kept until a publication and at most for `maximumMs`, if any. */
  readonly overloadMarks: 'ignored' | { readonly maximumMs: number | null };
  /** When a publication is asked for: from a mark to the next publication, or only while the mark lasts. */
  readonly reconciliationNeeded: 'since-a-mark' | 'while-a-mark-lasts';
  /**
   * What a monitor watches as its instances: the available ones, so that one reported down has left for it, or the
   * discovered ones, where it hears of a report as an event of its own.
   */
  readonly watched: 'available' | 'discovered';
  /** Whether a monitor hands its overloaded set to this client when it is attached as the prefill client. */
  readonly prefillClient: 'not-told' | 'told';
}

const dynamo10 = {
  name: 'dynamo-1.0',
  freeAmong: 'discovered',
  overloadedUntil: 'reconcile',
  overloadMarks: 'ignored',
  reconciliationNeeded: 'since-a-mark',
  watched: 'available',
  prefillClient: 'not-told',
} as const satisfies ClientPolicy;

const dynamo14 = {
  name: 'dynamo-1.4',
  freeAmong: 'routable',
  overloadedUntil: 'departure',
  overloadMarks: { maximumMs: null },
  reconciliationNeeded: 'since-a-mark',
  watched: 'discovered',
  prefillClient: 'told',
} as const satisfies ClientPolicy;

const dynamo16 = {
  ...dynamo14,
  name: 'dynamo-1.6',
  overloadMarks: { maximumMs: 1000 },
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
