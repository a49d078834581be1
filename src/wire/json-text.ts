/**
 * A value as one line of JSON, as a recording holds it: integers above 2^53 − 1 are decimal strings, and so are
 * the floats that JSON has no number for.
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' || (typeof inner === 'number' && !Number.isFinite(inner))
      ? String(inner)
      : inner,
  );
}
