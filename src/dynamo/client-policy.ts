/**
 * The rules of an instance client as plain data: one cell for each property in which releases of Dynamo's client differ. To
 * make your own policy, copy a row of {@link clientPolicies} and change some cells.
 */
export interface ClientPolicy {
  readonly name: string;
  /** The set from which overloaded workers are removed to get the free ones. `discovered` includes workers reported down. */
  readonly freeAmong: 'discovered' | 'routable';
  /**
   * How long a worker stays overloaded without a new publication: until the next reconcile, which follows every change of
   * the instances and runs every five seconds, or until the worker leaves.
   */
  readonly overloadedUntil: 'reconcile' | 'departure';
  /** Overload marks of the request path: ignored, or kept until a publication, for at most `maximumMs` if that is set. */
  readonly overloadMarks: 'ignored' | { readonly maximumMs: number | null };
  /** When a publication is requested: from an overload mark until the next publication, or only while the mark lasts. */
  readonly reconciliationNeeded: 'since-an-overload-mark' | 'while-an-overload-mark-lasts';
  /**
   * The instances that a monitor watches: the available ones, so that a worker reported down has left for the monitor, or
   * the discovered ones, where the monitor receives each report as a separate event.
   */
  readonly watched: 'available' | 'discovered';
  /** Whether a monitor passes its overloaded workers to this client when it is attached as the prefill client. */
  readonly prefillClient: 'not-notified' | 'notified';
}

const dynamo10 = {
  name: 'dynamo-1.0',
  freeAmong: 'discovered',
  overloadedUntil: 'reconcile',
  overloadMarks: 'ignored',
  reconciliationNeeded: 'since-an-overload-mark',
  watched: 'available',
  prefillClient: 'not-notified',
} as const satisfies ClientPolicy;

const dynamo14 = {
  name: 'dynamo-1.4',
  freeAmong: 'routable',
  overloadedUntil: 'departure',
  overloadMarks: { maximumMs: null },
  reconciliationNeeded: 'since-an-overload-mark',
  watched: 'discovered',
  prefillClient: 'notified',
} as const satisfies ClientPolicy;

const dynamo16 = {
  ...dynamo14,
  name: 'dynamo-1.6',
  overloadMarks: { maximumMs: 1000 },
  reconciliationNeeded: 'while-an-overload-mark-lasts',
  prefillClient: 'not-notified',
} as const satisfies ClientPolicy;

/**
 * The client policies: one for each release of Dynamo's client, with its faults, and `default`, which is the newest release
 * but also notifies the prefill client.
 *
 * | | 0.8, 1.0, 1.1 | 1.4 | 1.6 | default |
 * |---|---|---|---|---|
 * | free | discovered − busy | routable − overloaded | as 1.4 | as 1.4 |
 * | overloaded ends | at the next reconcile: **after 5 s a busy worker is free again** | when it leaves | as 1.4 | as 1.4 |
 * | overload marks of the request path | – | until a publication | until a publication, at most 1 s | as 1.6 |
 * | requests a publication | – | from an overload mark until a publication | while an overload mark lasts | as 1.6 |
 * | prefill client is notified | no | yes | no, it has its own monitor | yes |
 *
 * @see {@link ClientPolicy}, {@link instanceClient}
 */
export const clientPolicies = {
  'dynamo-0.8': { ...dynamo10, name: 'dynamo-0.8' },
  'dynamo-1.0': dynamo10,
  'dynamo-1.1': { ...dynamo10, name: 'dynamo-1.1' },
  'dynamo-1.4': dynamo14,
  'dynamo-1.6': dynamo16,
  default: { ...dynamo16, name: 'default', prefillClient: 'notified' },
} as const satisfies Record<string, ClientPolicy>;
