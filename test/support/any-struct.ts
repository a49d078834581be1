import fc from 'fast-check';

/** Bytes of one MessagePack value. */
type Bytes = readonly number[];

const WIDTHS = [1, 2, 4, 8] as const;
const width = fc.constantFrom(0, 1, 2, 3);

/** An unsigned integer in any encoding that can hold it; below 128 also as a fixint. */
export function uint(value: fc.Arbitrary<bigint>): fc.Arbitrary<Bytes> {
  return fc
    .tuple(value, width, fc.boolean())
    .map(([n, place, fix]) =>
      fix && n <= 127n ? [Number(n)] : [0xcc + fit(n, place), ...bytesOf(n, place)],
    );
}

/** A text as a string or as binary, with its length in any encoding. */
export function text(value: string): fc.Arbitrary<Bytes> {
  const content = [...new TextEncoder().encode(value)];
  const size = BigInt(content.length);
  const lengths = [0, 1, 2].map((place) => bytesOf(size, place));
  return fc.constantFrom<Bytes>(
    [0xa0 + content.length, ...content],
    ...lengths.map((length, place) => [0xd9 + place, ...length, ...content]),
    ...lengths.map((length, place) => [0xc4 + place, ...length, ...content]),
  );
}

/** Bytes as binary. */
export function binary(content: Bytes): Bytes {
  return [0xc5, content.length >> 8, content.length & 0xff, ...content];
}

/** Keys that name no field: unknown names and indices, which are skipped, and what no key may be. */
const strangeKey = fc.oneof<fc.Arbitrary<Bytes>[]>(
  uint(fc.bigInt(5n, 2n ** 64n - 1n)),
  fc.constantFrom<Bytes>([0xa1, 0x78], [0xa1, 0x31], [0xa1, 0xff], [0xc4, 0], [0xa0]),
  fc.constantFrom<Bytes>([0xff], [0xd0, 0], [0xd1, 0, 1], [0xd2, 0, 0, 0, 2], [0xd3, 0, 0, 0, 0, 0, 0, 0, 9]),
  fc.constantFrom<Bytes>([0xc0], [0xc2], [0xc3], [0xca, 0, 0, 0, 0], [0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]),
  fc.constantFrom<Bytes>([0x90], [0x80], [0xd4, 1, 1], [0xc1]),
);

/**
 * A map with the given fields in any order, each key a name or an index in any encoding. Some have a field less, the
 * same field twice, or a strange key.
 */
export function anyStruct(fields: Readonly<Record<string, fc.Arbitrary<Bytes>>>): fc.Arbitrary<Bytes> {
  const known = Object.entries(fields).map(([name, value], index) => {
    const key = fc.oneof(text(name), uint(fc.constant(BigInt(index))));
    return fc.tuple(key, value).map(([k, v]) => [...k, ...v]);
  });
  const strange = fc
    .tuple(strangeKey, fc.constantFrom<Bytes>([0xc0], [7], [0x91, 1]))
    .map(([k, v]) => [...k, ...v]);
  const additions = fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    fc.array(fc.oneof(...known, strange, strange), { minLength: 1, maxLength: 2 }),
  );
  const missing = fc.oneof({ weight: 8, arbitrary: fc.constant(-1) }, fc.nat(known.length - 1));
  return fc
    .tuple(fc.tuple(...known), missing, additions)
    .chain(([entries, missing, added]) => {
      const kept = entries.filter((_, index) => index !== missing);
      return shuffled([...kept, ...added]);
    })
    .map((entries) => [0x80 + entries.length, ...entries.flat()]);
}

function shuffled(entries: readonly Bytes[]): fc.Arbitrary<Bytes[]> {
  return fc.shuffledSubarray([...entries], { minLength: entries.length });
}

/** The narrowest encoding, from the wanted one on, that can hold an integer. */
function fit(value: bigint, place: number): number {
  while (value >= 1n << BigInt(8 * (WIDTHS[place] ?? 8))) place += 1;
  return place;
}

function bytesOf(value: bigint, wanted: number): Bytes {
  const size = WIDTHS[fit(value, wanted)] ?? 8;
  return Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * (size - 1 - i))) & 0xffn));
}
