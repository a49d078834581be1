/** What became of one kind of fault, times in milliseconds. */
export interface FaultFigures {
  readonly kind: string;
  readonly count: number;
  /** Until the status was `down`; none where nothing was to be noticed. */
  readonly detectMs: readonly number[];
  /** From healing until the status was `live`. */
  readonly healMs: readonly number[];
}

/** What a soak of any system comes to. */
export interface SoakResult {
  readonly system: string;
  readonly seed: number;
  readonly seconds: number;
  readonly faults: readonly FaultFigures[];
  readonly written: number;
  readonly finalWrong: number;
  /** Written and never told, all of them. */
  readonly lost: number;
  /** Of these: compacted away, and gone with a store that was replaced; each time a resync said so. */
  readonly lostCompacted: number;
  readonly lostReplaced: number;
  readonly outOfOrder: number;
  readonly toldTwice: number;
  readonly resyncs: number;
  /** What was left behind, in words. */
  readonly leaks: readonly string[];
  readonly unhandled: readonly string[];
  /** Kinds that ought to have occurred twice, and did not. */
  readonly tooRare: readonly string[];
}

/** What the promise excludes, in words; empty is a pass. */
export function breaches(result: SoakResult): string[] {
  const { finalWrong, lost, lostCompacted, lostReplaced, outOfOrder, toldTwice } = result;
  const { leaks, unhandled, tooRare } = result;
  const unexcused = lost - lostCompacted - lostReplaced;
  return [
    ...(finalWrong > 0 ? [`${finalWrong} final values are wrong`] : []),
    ...(unexcused > 0 ? [`${unexcused} values were lost that the server still had`] : []),
    ...(outOfOrder > 0 ? [`${outOfOrder} values came out of order`] : []),
    ...(toldTwice > 0 ? [`${toldTwice} values were told twice`] : []),
    ...leaks.map((leak) => `left behind: ${leak}`),
    ...unhandled.map((error) => `unhandled: ${error}`),
    ...tooRare.map((kind) => `less than twice: ${kind}`),
  ];
}
