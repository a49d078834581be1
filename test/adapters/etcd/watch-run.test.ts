import { concatWith, NEVER, Observable, of, throwError, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { EtcdError } from '../../../src/adapters/etcd/etcd-error.js';
import type { EtcdLink } from '../../../src/adapters/etcd/etcd-link.js';
import type { EtcdHost } from '../../../src/adapters/etcd/etcd-options.js';
import { runWatch } from '../../../src/adapters/etcd/watch-prefix.js';
import { FakeLink } from './fake-link.js';
import { EtcdModel } from './etcd-model.js';

const host = (hostname: string): EtcdHost => ({
  hostname,
  port: 2379,
  secure: false,
  url: `http://${hostname}:2379`,
});
const refused = new EtcdError('etcd-unreachable', 'refused');

/** Plays a run in virtual time, with the longest delays. */
function play(
  open: (host: EtcdHost, scheduler: VirtualTimeScheduler) => Observable<EtcdLink>,
  {
    untilMs,
    hosts = [host('one')],
    prefixes = [''],
  }: { untilMs: number; hosts?: readonly EtcdHost[]; prefixes?: readonly string[] },
): string[] {
  const scheduler = new VirtualTimeScheduler(undefined, untilMs);
  const said: string[] = [];
  const subscription = runWatch({
    hosts,
    open: (next) => open(next, scheduler),
    prefixes,
    source: 'etcd',
    maxRetryMs: 2_000,
    scheduler,
    random: () => 1,
  }).subscribe((item) =>
    said.push(
      'state' in item
        ? [scheduler.now(), item.state, 'since', item.since, item.why ?? [], item.retryInMs ?? []]
            .flat()
            .join(' ')
        : `${scheduler.now()} ${item.kind}`,
    ),
  );
  scheduler.flush();
  subscription.unsubscribe();
  return said;
}

describe('watchRun', () => {
  it('is connecting, then live', () => {
    const store = new EtcdModel();
    expect(
      play((_, scheduler) => of(new FakeLink(store, scheduler)).pipe(concatWith(NEVER)), { untilMs: 100 }),
    ).toEqual(['0 connecting since 0', '1 snapshot', '2 live since 2']);
  });

  it('stays live with a reason while a prefix may not be read, and is live without one afterwards', () => {
    const said = play(
      (_, scheduler) => {
        const link = new FakeLink(new EtcdModel(), scheduler, ['b/']);
        scheduler.schedule(() => link.refused.clear(), 1_000);
        return of(link).pipe(concatWith(NEVER));
      },
      { untilMs: 5_000, prefixes: ['a/', 'b/'] },
    );
    expect(said).toEqual([
      '0 connecting since 0',
      '2 snapshot',
      '3 live since 3 etcd at http://fake:2379: the keys below "b/" are not watched because the user has no permission ' +
        "to read them; if they are needed, grant the user's role read permission for these prefixes.",
      '2004 live since 3',
    ]);
  });

  it('waits longer after every failure, up to 2 s, with since, reason and time of the next attempt in the status', () => {
    const said = play(() => throwError(() => refused), { untilMs: 8_000 });
    expect(said.slice(0, 3)).toEqual([
      '0 connecting since 0',
      '0 down since 0 refused 50',
      '50 down since 0 refused 100',
    ]);
    expect(said.map((text) => Number(text.split(' ').at(-1)))).toEqual([
      0, 50, 100, 200, 400, 800, 1600, 2000, 2000, 2000,
    ]);
  });

  it('takes the hosts in turn', () => {
    const tried: string[] = [];
    play(
      ({ hostname }) => {
        tried.push(hostname);
        return throwError(() => refused);
      },
      { untilMs: 400, hosts: [host('one'), host('two'), host('three')] },
    );
    expect(tried).toEqual(['one', 'two', 'three', 'one']);
  });

  it('resumes in the next session where the last one ended, and is live again', () => {
    const store = new EtcdModel();
    let sessions = 0;
    const said = play(
      (_, scheduler) => {
        sessions += 1;
        const link = new FakeLink(store, scheduler);
        if (sessions === 1) scheduler.schedule(() => link.cut(refused), 3_000);
        return of(link).pipe(concatWith(NEVER));
      },
      { untilMs: 3_500 },
    );
    expect(said).toEqual([
      '0 connecting since 0',
      '1 snapshot',
      '2 live since 2',
      '3000 down since 3000 refused 50',
      '3052 live since 3052',
    ]);
  });

  it('a session that dies young does not shorten the wait', () => {
    const store = new EtcdModel();
    const said = play(
      (_, scheduler) => {
        const link = new FakeLink(store, scheduler);
        scheduler.schedule(() => link.cut(refused), 10);
        return of(link).pipe(concatWith(NEVER));
      },
      { untilMs: 2_000 },
    );
    expect(
      said.filter((text) => text.includes('down')).map((text) => Number(text.split(' ').at(-1))),
    ).toEqual([50, 100, 200, 400, 800, 1600]);
  });

  it('closes the connection when a session ends, and after the last unsubscription', () => {
    const store = new EtcdModel();
    let [opened, closed] = [0, 0];
    play(
      (_, scheduler) =>
        new Observable((subscriber) => {
          opened += 1;
          const link = new FakeLink(store, scheduler);
          scheduler.schedule(() => link.cut(refused), 10);
          subscriber.next(link);
          return () => (closed += 1);
        }),
      { untilMs: 1_000 },
    );
    expect(opened).toBeGreaterThan(3);
    expect(closed).toBe(opened);
  });
});
