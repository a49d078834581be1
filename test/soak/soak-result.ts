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
interface CommonResult {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: readonly FaultFigures[];
  readonly outOfOrder: number;
  readonly toldTwice: number;
  /** What was left behind, in words. */
  readonly leaks: readonly string[];
  readonly unhandled: readonly string[];
  /** Kinds that occurred less often than they ought to have. */
  readonly tooRare: readonly string[];
}

/** What a soak of etcd comes to. */
export interface EtcdResult extends CommonResult {
  readonly system: 'etcd';
  readonly written: number;
  readonly finalWrong: number;
  /** Written and never told, all of them. */
  readonly lost: number;
  /** Of these: compacted away, and gone with a store that was replaced; each time a resync said so. */
  readonly lostCompacted: number;
  readonly lostReplaced: number;
  readonly resyncs: number;
}

/** What became of messages that were published over NATS. */
interface MessagesResult extends CommonResult {
  readonly published: number;
  readonly heard: number;
  /** Published and never heard, all of them. */
  readonly lost: number;
  /** Of these: in a gap that was reported; and, of a publisher without numbers, over a reported interval. */
  readonly lostInGaps: number;
  readonly lostDetached: number;
  /** Reported as missing, and heard all the same. */
  readonly reportedWrongly: number;
  /** The account's own: how often and for how long it says that nothing could be received. */
  readonly detachedTimes: number;
  readonly detachedMs: number;
  /** How long faults lasted that took the connection away, and from healing until it was live again. */
  readonly injectedMs: number;
  readonly settledMs: number;
}

/** The numbers of messages in it. */
export type MessageSums = Pick<
  MessagesResult,
  | 'published'
  | 'heard'
  | 'lost'
  | 'lostInGaps'
  | 'lostDetached'
  | 'reportedWrongly'
  | 'toldTwice'
  | 'outOfOrder'
>;

/** What a soak of NATS comes to. */
export interface NatsResult extends MessagesResult {
  readonly system: 'nats';
}

/** What a soak of a fleet over both comes to. */
export interface FleetResult extends MessagesResult {
  readonly system: 'fleet';
  /** Workers: all that came, and of these, who left in order and who was killed. */
  readonly came: number;
  readonly went: number;
  readonly killed: number;
  /** Of those who were killed, how many had been heard. */
  readonly killedHeard: number;
  /** At the end, as the monitor saw it. */
  readonly seenWorkers: number;
  readonly seenBusy: number;
  /** Where the monitor's view at the end was not the truth. */
  readonly wrongView: readonly string[];
}

export type SoakResult = EtcdResult | NatsResult | FleetResult;

/** The longest that §3.2 of the measurements allows, and a peer that says nothing for 2 s to a try before the last. */
const NOTICED_MS = 10_000;
const LIVE_AGAIN_MS = 4_000;

/** What the promise excludes, in words; empty is a pass. */
export function breaches(result: SoakResult): string[] {
  const { outOfOrder, toldTwice, leaks, unhandled, tooRare } = result;
  return [
    ...systemBreaches(result),
    ...(outOfOrder > 0 ? [`${outOfOrder} values came out of order`] : []),
    ...(toldTwice > 0 ? [`${toldTwice} values were told twice`] : []),
    ...leaks.map((leak) => `left behind: ${leak}`),
    ...unhandled.map((error) => `unhandled: ${error}`),
    ...tooRare.map((kind) => `too rare: ${kind}`),
  ];
}

function systemBreaches(result: SoakResult): string[] {
  if (result.system === 'etcd') return etcdBreaches(result);
  if (result.system === 'nats') return [...messageBreaches(result), ...timeBreaches(result)];
  // How fast each is noticed is measured by the soaks of one system: here, others hold up everything meanwhile.
  return [...result.wrongView.map((text) => `a wrong view: ${text}`), ...messageBreaches(result)];
}

/** How many were lost and not reported. */
export function unreported({ lost, lostInGaps, lostDetached }: MessagesResult): number {
  return lost - lostInGaps - lostDetached;
}

function etcdBreaches({ finalWrong, lost, lostCompacted, lostReplaced }: EtcdResult): string[] {
  const unexcused = lost - lostCompacted - lostReplaced;
  return [
    ...(finalWrong > 0 ? [`${finalWrong} final values are wrong`] : []),
    ...(unexcused > 0 ? [`${unexcused} values were lost that the server still had`] : []),
  ];
}

function messageBreaches(result: MessagesResult): string[] {
  const { reportedWrongly, detachedMs, injectedMs, settledMs } = result;
  return [
    ...(unreported(result) > 0 ? [`${unreported(result)} messages were lost and not reported`] : []),
    ...(reportedWrongly > 0 ? [`${reportedWrongly} messages were reported lost and came`] : []),
    ...(detachedMs > injectedMs + settledMs
      ? [`detached for ${detachedMs.toFixed(0)} ms, of ${(injectedMs + settledMs).toFixed(0)} ms at most`]
      : []),
  ];
}

function timeBreaches({ faults }: NatsResult): string[] {
  const late = (times: readonly number[], limit: number): boolean => times.some((ms) => ms > limit);
  return [
    ...faults
      .filter(({ detectMs }) => late(detectMs, NOTICED_MS))
      .map(({ kind }) => `noticed after more than 10 s: ${kind}`),
    ...faults
      .filter(({ healMs }) => late(healMs, LIVE_AGAIN_MS))
      .map(({ kind }) => `live more than 4 s after healing: ${kind}`),
  ];
}
