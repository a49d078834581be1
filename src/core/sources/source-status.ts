/**
 * The state of a source: `connecting`, not reached yet; `live`, delivers values; `stale`, silent for too long; `down`,
 * lost and being retried; `ended`, it completed and no more values follow.
 */
export type SourceState = 'connecting' | 'live' | 'stale' | 'down' | 'ended';

/** What a source says about itself, or the monitor about a source. */
export interface SourceStatus {
  /** The source: `loads`, `configs`, `decodeInstances`, `prefillInstances`, or the name that an adapter gives. */
  readonly source: string;
  readonly state: SourceState;
  /** When the state began, in milliseconds of the clock that drives the monitor. */
  readonly since: number;
  /** The reason in one sentence, if there is one. */
  readonly why?: string;
  /** The wait before the next try in milliseconds, while the source is `down`. */
  readonly retryInMs?: number;
}

/** The part of a status that changes; `State` is {@link SourceState}, or the states of something else that has a status. */
export interface StateSince<State extends string> {
  readonly state: State;
  readonly since: number;
  readonly why?: string;
  readonly retryInMs?: number;
}

/** The next status: `since` is kept while the state stays the same, and is `now` in a new state. */
export function nextStatus<State extends string>(
  before: { readonly state: State; readonly since: number },
  next: { readonly state: State; readonly why?: string; readonly retryInMs?: number },
  now: number,
): StateSince<State> {
  const { state, why, retryInMs } = next;
  return {
    state,
    since: before.state === state ? before.since : now,
    ...(why !== undefined && { why }),
    ...(retryInMs !== undefined && { retryInMs }),
  };
}

/** The list with the status of one source replaced; the source that changed last is last. */
export function withStatus(list: readonly SourceStatus[], status: SourceStatus): readonly SourceStatus[] {
  return [...list.filter(({ source }) => source !== status.source), status];
}
