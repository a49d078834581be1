import type { LoadHeader } from '../../src/wire/loads/load-header.js';

/** A numbered message: who numbered it, and the worker and rank of its load. */
export interface NumberedLoad {
  readonly publisher: bigint | number;
  /** Defaults to the publisher, as in releases up to 1.2. */
  readonly worker?: bigint | number;
  readonly dpRank?: number;
  readonly sequence: number;
  readonly publishedAt?: number;
}

/** The header of a load that was decoded. */
export function headerOf({
  publisher,
  worker = publisher,
  dpRank = 0,
  sequence,
  publishedAt = 0,
}: NumberedLoad): LoadHeader {
  const [publisherHigh, publisherLow] = halvesOf(publisher);
  const [workerHigh, workerLow] = halvesOf(worker);
  const numbered = { present: true, publisherHigh, publisherLow, sequence, publishedAt };
  return { ...numbered, hasLoad: true, workerHigh, workerLow, dpRank };
}

/** The header of a message whose payload could not be decoded. */
export function headerWithoutLoad(load: NumberedLoad): LoadHeader {
  return { ...headerOf(load), hasLoad: false, workerHigh: 0, workerLow: 0, dpRank: 0 };
}

function halvesOf(id: bigint | number): [high: number, low: number] {
  return [Number(BigInt(id) >> 32n) | 0, Number(BigInt(id) & 0xffff_ffffn) | 0];
}
