/** The measurements of one kind of fault, in milliseconds. */
export interface FaultFigures {
  readonly kind: string;
  readonly count: number;
  /** From the start until the status was `down`; empty if the fault was not detected. */
  readonly detectMs: readonly number[];
  /** From healing until the status was `live`. */
  readonly healMs: readonly number[];
}

/** The result of any soak. */
interface CommonResult {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: readonly FaultFigures[];
  readonly outOfOrder: number;
  readonly duplicates: number;
  /** What was left behind, in words. */
  readonly leaks: readonly string[];
  readonly unhandled: readonly string[];
  /** Kinds that occurred less often than required. */
  readonly tooRare: readonly string[];
}

/** The result of a soak of etcd. */
export interface EtcdResult extends CommonResult {
  readonly system: 'etcd';
  readonly written: number;
  readonly finalWrong: number;
  /** All values that were written but never received. */
  readonly lost: number;
  /** The compacted ones among them, and those of a replaced store. Each requires a resync. */
  readonly lostCompacted: number;
  readonly lostReplaced: number;
  readonly resyncs: number;
}

/** The result for messages over NATS. */
interface MessagesResult extends CommonResult {
  readonly published: number;
  readonly received: number;
  /** All messages that were published but never received. */
  readonly lost: number;
  /** Those in a reported gap, and, for a publisher without numbers, in a reported interval. */
  readonly lostInGaps: number;
  readonly lostDetached: number;
  /** Messages that were reported as missing, but received. */
  readonly reportedWrongly: number;
  /** How often and for how long the account reports that nothing could be received. */
  readonly detachedTimes: number;
  readonly detachedMs: number;
  /** The duration of faults that interrupted the connection, and of the time from healing until it was live. */
  readonly injectedMs: number;
  readonly settledMs: number;
}

/** The message counts of a result. */
export type MessageSums = Pick<
  MessagesResult,
  | 'published'
  | 'received'
  | 'lost'
  | 'lostInGaps'
  | 'lostDetached'
  | 'reportedWrongly'
  | 'duplicates'
  | 'outOfOrder'
>;

/** The result of a soak of NATS. */
export interface NatsResult extends MessagesResult {
  readonly system: 'nats';
}

/** The result of a soak of a fleet over both. */
export interface FleetResult extends MessagesResult {
  readonly system: 'fleet';
  /** The number of workers that joined, and of those that left in good order or were killed. */
  readonly joined: number;
  readonly left: number;
  readonly killed: number;
  /** The killed workers from which a message was received. */
  readonly killedReceived: number;
  /** The monitor's state at the end. */
  readonly seenWorkers: number;
  readonly seenBusy: number;
  /** The differences between the monitor's final state and the actual workers. */
  readonly viewErrors: readonly string[];
}

export type SoakResult = EtcdResult | NatsResult | FleetResult;

/** The limit of §3.2 of the measurements, plus 2 s for a peer that is silent during the previous attempt. */
const DETECTION_MS = 10_000;
const LIVE_AGAIN_MS = 4_000;

/** The broken guarantees, in words. Empty if the soak passed. */
export function breaches(result: SoakResult): string[] {
  const { outOfOrder, duplicates, leaks, unhandled, tooRare } = result;
  return [
    ...systemBreaches(result),
    ...(outOfOrder > 0 ? [`${outOfOrder} values were out of order`] : []),
    ...(duplicates > 0 ? [`${duplicates} values were duplicates`] : []),
    ...leaks.map((leak) => `left behind: ${leak}`),
    ...unhandled.map((error) => `unhandled: ${error}`),
    ...tooRare.map((kind) => `too rare: ${kind}`),
  ];
}

function systemBreaches(result: SoakResult): string[] {
  if (result.system === 'etcd') return etcdBreaches(result);
  if (result.system === 'nats') return [...messageBreaches(result), ...timeBreaches(result)];
  // Detection times are only checked by the soaks of one system, because faults of both systems delay each other.
  return [...result.viewErrors.map((text) => `wrong monitor state: ${text}`), ...messageBreaches(result)];
}

/** The number of messages that were lost but not reported. */
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
    ...(reportedWrongly > 0 ? [`${reportedWrongly} messages were reported lost but received`] : []),
    ...(detachedMs > injectedMs + settledMs
      ? [`detached for ${detachedMs.toFixed(0)} ms, of ${(injectedMs + settledMs).toFixed(0)} ms at most`]
      : []),
  ];
}

function timeBreaches({ faults }: NatsResult): string[] {
  const late = (times: readonly number[], limit: number): boolean => times.some((ms) => ms > limit);
  return [
    ...faults
      .filter(({ detectMs }) => late(detectMs, DETECTION_MS))
      .map(({ kind }) => `detected after more than 10 s: ${kind}`),
    ...faults
      .filter(({ healMs }) => late(healMs, LIVE_AGAIN_MS))
      .map(({ kind }) => `live more than 4 s after healing: ${kind}`),
  ];
}
