/**
 * Something a real fleet would do, as the bytes it would do it with: a message on a subject, or a key of the
 * discovery store written (`value`) or gone (empty value). `at`: milliseconds since the beginning, never smaller
 * than that of the fact before.
 */
export type SimulatedFact =
  | { readonly at: number; readonly subject: string; readonly payload: Uint8Array }
  | { readonly at: number; readonly key: string; readonly value: Uint8Array };
