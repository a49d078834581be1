/** The keys that begin with a prefix, as etcd writes a range: from the first, up to one that is no more of them. */
export interface KeyRange {
  readonly key: Buffer;
  readonly range_end: Buffer;
}

const FIRST = Buffer.of(0);

/** The range of a prefix; all keys for an empty one. */
export function keyRange(prefix: string): KeyRange {
  const key = Buffer.from(prefix);
  const end = Buffer.from(prefix);
  for (let at = end.length - 1; at >= 0; at -= 1) {
    const byte = end[at] ?? 0;
    if (byte === 0xff) continue;
    end[at] = byte + 1;
    return { key, range_end: end.subarray(0, at + 1) };
  }
  return { key: key.length === 0 ? FIRST : key, range_end: FIRST };
}

/** The rest of a range behind one of its keys. */
export function rangeAfter({ range_end }: KeyRange, last: Buffer): KeyRange {
  return { key: Buffer.concat([last, FIRST]), range_end };
}
