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
  readonly requestMarks: 'ignored' | { readonly maximumMs: number | null };
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
