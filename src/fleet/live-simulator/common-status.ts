import type { SourceStatus } from '../../core/sources/source-status.js';
import type { SimulatorEvent } from './simulator-event.js';

/** One status of many connections to the same server, which usually fail together. */
export class CommonStatus {
  private readonly failing = new Set<object>();

  /** @param source the name in the status */
  constructor(private readonly source: string) {}

  /** Handles a status of one member, and returns what to report: why it fails, or that no member fails any more. */
  update(
    member: object,
    { state, since, why, retryInMs }: Omit<SourceStatus, 'source' | 'state'> & { readonly state: string },
  ): readonly SimulatorEvent[] {
    const { failing, source } = this;
    const isWell = state === 'registered' || state === 'live';
    if (isWell || state === 'ended') failing.delete(member);
    else if (why !== undefined) {
      failing.add(member);
      const retry = retryInMs === undefined ? {} : { retryInMs };
      return [{ kind: 'status', status: { source, state: 'down', since, why, ...retry } }];
    }
    return isWell && failing.size === 0 ? [{ kind: 'status', status: { source, state: 'live', since } }] : [];
  }
}
