import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { EtcdError } from '../../../src/adapters/etcd/etcd-error.js';
import { KeyHistory } from '../../../src/adapters/etcd/key-history.js';
import { watchSession } from '../../../src/adapters/etcd/watch-session.js';
import { FakeLink } from './fake-link.js';
import { EtcdModel } from './etcd-model.js';

/** Runs a session in virtual time, with actions by millisecond, and returns the emissions with their times. */
function play(
  {
    store = new EtcdModel(),
    histories = [new KeyHistory('')],
    untilMs = 50,
  }: { store?: EtcdModel; histories?: readonly KeyHistory[]; untilMs?: number },
  deeds: Readonly<Record<number, (link: FakeLink) => void>> = {},
): { said: string[]; asked: string[] } {
  const scheduler = new VirtualTimeScheduler(undefined, untilMs);
  const link = new FakeLink(store, scheduler);
  const said: string[] = [];
  const say = (text: string): number => said.push(`${scheduler.now()} ${text}`);
  for (const [at, deed] of Object.entries(deeds)) scheduler.schedule(() => deed(link), Number(at));
  const subscription = watchSession(link, histories, scheduler).subscribe({
    next: (item) =>
      say(
        item === 'live'
          ? 'live'
          : `${item.kind} ${item.changes.map(({ kind, key }) => (kind === 'put' ? key : `-${key}`)).join(' ')}`,
      ),
    error: (error: unknown) => say(error instanceof EtcdError ? error.code : String(error)),
    complete: () => say('complete'),
  });
  scheduler.flush();
  subscription.unsubscribe();
  return { said, asked: link.asked };
}

const stored = (...keys: readonly string[]): EtcdModel => {
  const store = new EtcdModel();
  for (const key of keys) store.put(key, 'value');
  return store;
};

describe('watchSession', () => {
  it('begins with a snapshot, then watches from the next revision', () => {
    const { said, asked } = play(
      { store: stored('a', 'b') },
      {
        10: (link) => {
          link.store.put('c', 'value');
          link.store.delete('a');
          link.flush();
        },
      },
    );
    expect(said).toEqual(['1 snapshot a b', '2 live', '10 changes c -a']);
    expect(asked).toEqual(['list ', 'watch  from 4']);
  });

  it('lists several prefixes at one revision, emits them as one batch, and is live when all watches are created', () => {
    const histories = [new KeyHistory('a/'), new KeyHistory('b/')];
    const { said, asked } = play({ store: stored('a/1', 'b/1'), histories });
    expect(said).toEqual(['2 snapshot a/1 b/1', '3 live']);
    expect(asked).toEqual(['list a/', 'list b/ at 3', 'watch a/ from 4', 'watch b/ from 4']);
  });

  it('the next session resumes where the previous one ended', () => {
    const store = stored('a');
    const histories = [new KeyHistory('')];
    play({ store, histories });
    store.put('b', 'value');
    store.delete('b');
    expect(play({ store, histories })).toEqual({
      said: ['2 live', '3 changes b -b'],
      asked: ['list ', 'watch  from 3'],
    });
  });

  it('a compaction ends the session, and the next one emits the difference', () => {
    const store = stored('a');
    const histories = [new KeyHistory('')];
    play({ store, histories });
    store.put('b', 'value');
    store.delete('a');
    store.compact();
    expect(play({ store, histories }).said).toEqual(['2 live', '3 etcd-compacted']);
    store.put('b', 'later');
    store.delete('b');
    // The difference up to the compaction, then all later changes.
    expect(play({ store, histories })).toEqual({
      said: ['2 resync -a b', '3 live', '4 changes b -b'],
      asked: ['list ', 'list  at 4', 'watch  from 5'],
    });
  });

  it('what was lost is asked for once: a compaction in between leaves the present', () => {
    const store = stored('a');
    const histories = [new KeyHistory('')];
    play({ store, histories });
    store.put('b', 'value');
    store.compact();
    play({ store, histories });
    expect(histories[0]?.takeOldest(store.revision)).toBe(3n);
    store.put('c', 'value');
    expect(play({ store, histories })).toEqual({
      said: ['1 resync b c', '2 live'],
      asked: ['list ', 'watch  from 5'],
    });
  });

  it('a store that went back in time between sessions gives a resync', () => {
    const store = stored('a', 'b');
    const histories = [new KeyHistory('')];
    play({ store, histories });
    store.replace(['b']);
    expect(play({ store, histories }).said).toEqual(['1 resync -a -b b', '2 live']);
  });

  it('probes the server every 5 s, and ends when it does not answer', () => {
    const { said, asked } = play(
      { untilMs: 30_000 },
      {
        12_000: (link) => {
          link.probeFails = new EtcdError('etcd-silent', 'silent');
        },
      },
    );
    expect(asked.filter((text) => text === 'probe')).toHaveLength(3);
    expect(said).toEqual(['1 snapshot ', '2 live', '15002 etcd-silent']);
  });

  it('finds a deletion that the server lost: first 2 s after it is live, then every 30 s', () => {
    const { said } = play(
      { store: stored('a', 'b', 'c'), untilMs: 70_000 },
      {
        100: (link) => link.store.deleteUnseen('a'),
        20_000: (link) => link.store.deleteUnseen('b'),
      },
    );
    // 2 s of doubt, and three listings of a millisecond.
    expect(said).toEqual(['1 snapshot a b c', '2 live', '4005 resync -a', '34005 resync -b']);
  });

  it('an audit lists keys without values, and suspects nothing that the watch reports in time', () => {
    const { said, asked } = play(
      { store: stored('a'), untilMs: 20_000 },
      {
        2_001: (link) => link.store.put('late', 'value'),
        2_500: (link) => link.flush(),
      },
    );
    expect(said).toEqual(['1 snapshot a', '2 live', '2500 changes late']);
    expect(asked.slice(2, 4)).toEqual(['list  keys', 'list  keys']);
  });

  it('an audit that finds that the store went back in time ends the session', () => {
    const { said } = play(
      { store: stored('a', 'b'), untilMs: 20_000 },
      {
        100: (link) => link.store.replace([]),
      },
    );
    expect(said).toEqual(['1 snapshot a b', '2 live', '2003 etcd-history']);
  });

  it('ends with the error of a watch, and never completes', () => {
    const { said } = play({}, { 10: (link) => link.cut(new EtcdError('etcd-unreachable', 'cut')) });
    expect(said).toEqual(['1 snapshot ', '2 live', '10 etcd-unreachable']);
  });
});
