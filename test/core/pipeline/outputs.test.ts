import { NEVER, Subject, of, concat } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { ActiveLoad } from '../../../src/core/events/fleet-event.js';
import { loadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import type { SourceState, SourceStatus } from '../../../src/core/sources/source-status.js';
import type { BusySet } from '../../../src/core/state/busy-set.js';
import { id, load } from '../../support/fleet.js';

const options = { thresholds: { activePrefillTokensThreshold: 10 } };
const tokens = (worker: number, activePrefillTokens: number): ActiveLoad =>
  load({ workerId: id(worker), activePrefillTokens });
const statusOf = (source: string, state: SourceState): SourceStatus => ({ source, state, since: 0 });

describe('the outputs of a monitor', () => {
  it('busy$ - a late subscriber receives the whole set as added, marked as a snapshot, and then only changes', () => {
    const loads$ = new Subject<ActiveLoad>();
    const monitor = loadMonitor({ loads: loads$ }, options);
    const seen: [early: string[], late: string[]] = [[], []];
    const note =
      (words: string[]) =>
      ({ added, removed, isSnapshot }: BusySet): void =>
        void words.push(`${isSnapshot ? 'snapshot ' : ''}+${added.join()} -${removed.join()}`);
    monitor.busy$.subscribe(note(seen[0]));
    monitor.connect();
    loads$.next(tokens(7, 11));
    loads$.next(tokens(8, 11));
    monitor.busy$.subscribe(note(seen[1]));
    loads$.next(tokens(7, 0));
    expect(seen).toEqual([
      ['snapshot + -', '+7 -', '+8 -', '+ -7'],
      ['snapshot +7,8 -', '+ -7'],
    ]);
    monitor.stop();
  });

  it('status$ keeps the order of its sources, whichever reports first, and adds the sources that ended after them', () => {
    const [first$, second$] = [new Subject<SourceStatus>(), new Subject<SourceStatus>()];
    const loads$ = new Subject<ActiveLoad>();
    const monitor = loadMonitor({ loads: loads$, events: NEVER, status: [first$, second$] }, options);
    const lists: string[] = [];
    monitor.status$.subscribe((list) =>
      lists.push(list.map(({ source, state }) => `${source} ${state}`).join()),
    );
    monitor.connect();
    loads$.complete();
    second$.next(statusOf('etcd', 'live'));
    first$.next(statusOf('nats', 'connecting'));
    second$.next(statusOf('etcd', 'down'));
    first$.next(statusOf('nats', 'live'));
    expect(lists).toEqual([
      '',
      'loads ended',
      'etcd live,loads ended',
      'nats connecting,etcd live,loads ended',
      'nats connecting,etcd down,loads ended',
      'nats live,etcd down,loads ended',
    ]);
    monitor.stop();
  });

  it('status$ - a status that a subscriber causes waits for all outputs of the current step', () => {
    const loads$ = new Subject<ActiveLoad>();
    const status$ = new Subject<SourceStatus>();
    const monitor = loadMonitor(
      { loads: loads$, status: [concat(of(statusOf('nats', 'connecting')), status$)] },
      options,
    );
    const seen: string[] = [];
    monitor.steps$.subscribe(({ busy }) => {
      if (busy.size > 0) status$.next(statusOf('nats', 'live'));
    });
    monitor.status$.subscribe((list) => seen.push(list.map(({ state }) => state).join()));
    monitor.busy$.subscribe((busy) => seen.push(`busy ${busy.ids.join()}`));
    monitor.connect();
    seen.length = 0;
    loads$.next(tokens(7, 11));
    expect(seen).toEqual(['busy 7', 'live']);
    monitor.stop();
  });
});
