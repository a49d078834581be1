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
    refused = [],
    uncreated = [],
    untilMs = 50,
  }: {
    store?: EtcdModel;
    histories?: readonly KeyHistory[];
    refused?: readonly string[];
    uncreated?: readonly string[];
    untilMs?: number;
  },
  deeds: Readonly<Record<number, (link: FakeLink) => void>> = {},
): { said: string[]; asked: string[]; revisions: string[] } {
  const scheduler = new VirtualTimeScheduler(undefined, untilMs);
  const link = new FakeLink(store, scheduler, refused);
  for (const prefix of uncreated) link.uncreated.add(prefix);
  const said: string[] = [];
  const revisions: string[] = [];
  const say = (text: string): number => said.push(`${scheduler.now()} ${text}`);
  for (const [at, deed] of Object.entries(deeds)) scheduler.schedule(() => deed(link), Number(at));
  const subscription = watchSession(link, histories, scheduler).subscribe({
    next: (item) => {
      if ('changes' in item) revisions.push(item.revision);
      say(
        'state' in item
          ? ['live', ...notRead(item.why)].join(' but ')
          : `${item.kind} ${item.changes.map(({ kind, key }) => (kind === 'put' ? key : `-${key}`)).join(' ')}`,
      );
    },
    error: (error: unknown) =>
      say(error instanceof EtcdError ? [error.code, ...notRead(error.message)].join(' ') : String(error)),
    complete: () => say('complete'),
  });
  scheduler.flush();
  subscription.unsubscribe();
  return { said, asked: link.asked, revisions };
}

/** The prefixes that a text says are not watched. */
const notRead = (why = ''): string[] => {
  const [, prefixes] = /keys below (.*) are not watched because the user has no permission/.exec(why) ?? [];
  return prefixes === undefined ? [] : [`not ${prefixes}`];
};

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
    expect(play({ store, histories })).toMatchObject({
      said: ['2 live', '4 changes b -b'],
      asked: ['list ', 'watch  from 3', 'list  keys at 3'],
    });
  });

  it('a compaction ends the session before it is live, and the next one emits the difference', () => {
    const store = stored('a');
    const histories = [new KeyHistory('')];
    play({ store, histories });
    store.put('b', 'value');
    store.delete('a');
    store.put('b', 'other');
    store.compact();
    expect(play({ store, histories }).said).toEqual(['4 etcd-compacted']);
    store.put('b', 'later');
    store.delete('b');
    // The difference up to the compaction, then all later changes.
    expect(play({ store, histories })).toMatchObject({
      said: ['2 resync -a b', '5 changes b -b', '5 live'],
      asked: ['list ', 'list  at 5', 'watch  from 6', 'list  keys at 6'],
    });
  });

  it('a compaction that several watches missed ends one session, and one resync has all differences', () => {
    const store = stored('a/1', 'b/1', 'c/1');
    const histories = ['a/', 'b/', 'c/'].map((prefix) => new KeyHistory(prefix));
    play({ store, histories });
    store.delete('a/1');
    store.put('b/2', 'value');
    store.put('d', 'value');
    store.put('d', 'value');
    store.compact();
    store.put('c/2', 'value');
    expect(play({ store, histories }).said).toEqual(['6 etcd-compacted']);
    expect(play({ store, histories }).said).toEqual(['4 resync -a/1 b/2', '7 changes c/2', '7 live']);
    expect(play({ store, histories }).said).toEqual(['4 live']);
  });

  it('each batch has the revision that it shows: of the listing, or of its last change', () => {
    const store = stored('a/1', 'b/1');
    const histories = ['a/', 'b/'].map((prefix) => new KeyHistory(prefix));
    const { revisions } = play(
      { store, histories },
      {
        10: (link) => {
          link.store.put('elsewhere', 'value');
          link.store.put('b/1', 'other');
          link.store.put('b/2', 'value');
          link.store.put('elsewhere', 'value');
          link.flush();
        },
      },
    );
    expect(revisions).toEqual(['3', '6']);
    store.put('b/3', 'value');
    store.put('a/2', 'value');
    histories[0]?.advance(store.since(9n) ?? []);
    store.compact();
    play({ store, histories });
    store.put('b/4', 'value');
    // Only b/ has lost history, and its difference is that of the oldest available revision.
    const { said, revisions: later } = play({ store, histories });
    expect([said, later]).toEqual([
      ['3 resync b/3', '6 changes b/4', '6 live'],
      ['9', '10'],
    ]);
  });

  it('a compaction that no watch reports ends the session too', () => {
    const store = stored('a');
    const histories = [new KeyHistory('')];
    play({ store, histories });
    store.put('b', 'value');
    store.put('b', 'value');
    store.compact();
    expect(play({ store, histories, untilMs: 20_000 }, { 1: (link) => (link.isSilent = true) }).said).toEqual(
      ['4004 resync b', '5002 etcd-compacted'],
    );
    expect(play({ store, histories }).said).toEqual(['2 live']);
  });

  it('what was lost is asked for once: a compaction in between leaves the present', () => {
    const store = stored('a');
    const histories = [new KeyHistory('')];
    play({ store, histories });
    store.put('b', 'value');
    store.put('b', 'other');
    store.compact();
    play({ store, histories });
    expect(histories[0]?.takeOldest(store.revision)).toBe(4n);
    store.put('c', 'value');
    expect(play({ store, histories })).toMatchObject({
      said: ['1 resync b c', '2 live'],
      asked: ['list ', 'watch  from 6'],
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
    expect(said).toEqual(['1 snapshot ', '2 live', '15001 etcd-silent']);
  });

  it('finds a deletion that the server lost: first after 2 s, then every 30 s', () => {
    const { said } = play(
      { store: stored('a', 'b', 'c'), untilMs: 70_000 },
      {
        100: (link) => link.store.deleteUnseen('a'),
        20_000: (link) => link.store.deleteUnseen('b'),
      },
    );
    // 2 s of doubt, and three listings of a millisecond.
    expect(said).toEqual(['1 snapshot a b c', '2 live', '4004 resync -a', '34004 resync -b']);
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
    expect(said).toEqual(['1 snapshot a b', '2 live', '2002 etcd-history']);
  });

  it('ends with the error of a watch, and never completes', () => {
    const { said } = play({}, { 10: (link) => link.cut(new EtcdError('etcd-unreachable', 'cut')) });
    expect(said).toEqual(['1 snapshot ', '2 live', '10 etcd-unreachable']);
  });

  describe('is live', () => {
    const two = (): KeyHistory[] => [new KeyHistory('a/'), new KeyHistory('b/')];

    it('only when every watch is created', () => {
      const { said } = play(
        { store: stored('a/1', 'b/1'), histories: two(), uncreated: ['b/'] },
        { 30: (link) => link.create() },
      );
      expect(said).toEqual(['2 snapshot a/1 b/1', '30 live']);
    });

    it('never if a watch ends before another one is created', () => {
      const { said } = play(
        { store: stored('a/1', 'b/1'), histories: two(), uncreated: ['b/'] },
        { 20: (link) => link.cut(new EtcdError('etcd-failed', 'no leader')) },
      );
      expect(said).toEqual(['2 snapshot a/1 b/1', '20 etcd-failed']);
    });

    it('only when the watches have reported what the listing shows', () => {
      const store = stored('a/1', 'a/2', 'b/1');
      const histories = two();
      play({ store, histories });
      store.put('a/1', 'other');
      store.delete('a/2');
      store.put('b/2', 'value');
      expect(play({ store, histories }).said).toEqual(['5 changes a/1 -a/2', '5 changes b/2', '5 live']);
    });

    it('only when an audit has found what the server lost', () => {
      const store = stored('a', 'b');
      const histories = [new KeyHistory('')];
      play({ store, histories });
      store.deleteUnseen('a');
      const { said } = play({ store, histories, untilMs: 20_000 });
      expect(said).toEqual(['4004 resync -a', '4004 live']);
    });

    it('when an audit finds that the changes to wait for no longer exist', () => {
      const store = stored('a');
      const histories = [new KeyHistory('')];
      play({ store, histories });
      store.put('b', 'value');
      const { said } = play(
        { store, histories, untilMs: 20_000 },
        {
          2: ({ store: now }) => {
            now.deleteUnseen('b');
            now.history = now.history.filter(({ key }) => key !== 'b');
          },
        },
      );
      expect(said).toEqual(['2002 live']);
    });
  });

  describe('a prefix that the user may not read', () => {
    const three = (): KeyHistory[] => ['a/', 'b/', 'c/'].map((prefix) => new KeyHistory(prefix));

    it('is named in the status, and the others are watched at one revision', () => {
      const { said, asked } = play(
        { store: stored('a/1', 'b/1', 'c/1'), histories: three(), refused: ['a/'] },
        {
          10: (link) => {
            link.store.put('b/2', 'value');
            link.flush();
          },
        },
      );
      expect(said).toEqual(['3 snapshot b/1 c/1', '4 live but not "a/"', '10 changes b/2']);
      expect(asked).toEqual(['list a/', 'list b/', 'list c/ at 4', 'watch b/ from 5', 'watch c/ from 5']);
    });

    it('is tried again at growing intervals of up to 30 s', () => {
      const { asked } = play({ histories: three(), refused: ['a/'], untilMs: 150_000 });
      // 2, 2, 4, 8, 16, 30 and 30 s later, each with a millisecond for the answer.
      expect(asked.filter((text) => text === 'list a/')).toHaveLength(1 + 8);
    });

    it('becomes readable: its keys are a resync, and it is no longer named', () => {
      const { said } = play(
        { store: stored('a/1', 'b/1', 'c/1'), histories: three(), refused: ['a/', 'c/'], untilMs: 10_000 },
        {
          3_000: (link) => link.refused.delete('a/'),
          5_000: (link) => link.refused.delete('c/'),
          9_000: (link) => {
            link.store.put('a/2', 'value');
            link.store.put('c/2', 'value');
            link.flush();
          },
        },
      );
      expect(said).toEqual([
        '3 snapshot b/1',
        '4 live but not "a/", "c/"',
        '4005 resync a/1',
        '4006 live but not "c/"',
        '8006 resync c/1',
        '8007 live',
        '9000 changes a/2',
        '9000 changes c/2',
      ]);
    });

    it('becomes readable, and is audited from then on', () => {
      const { said } = play(
        { store: stored('a/1', 'b/1'), histories: three(), refused: ['a/'], untilMs: 40_000 },
        {
          1_000: (link) => link.refused.delete('a/'),
          20_000: (link) => link.store.deleteUnseen('a/1'),
        },
      );
      expect(said.slice(2)).toEqual(['2004 resync a/1', '2005 live', '34010 resync -a/1']);
    });

    it('is refused later: an audit ends the session, and the next one says so and keeps its keys', () => {
      const store = stored('a/1', 'b/1');
      const histories = three();
      const { said } = play(
        { store, histories, untilMs: 40_000 },
        { 5_000: (link) => link.refused.add('a/') },
      );
      expect(said.at(-1)).toBe('32006 etcd-permission not "a/"');
      store.put('a/2', 'value');
      const next = play(
        { store, histories, refused: ['a/'], untilMs: 10_000 },
        { 3_000: (link) => link.refused.clear() },
      );
      expect(next.said).toEqual(['4 live but not "a/"', '4008 changes a/2', '4008 live']);
    });

    it('is the only one, or all are: an error that names them', () => {
      expect(play({ histories: three(), refused: ['a/', 'b/', 'c/'] }).said).toEqual([
        '3 etcd-permission not "a/", "b/", "c/"',
      ]);
    });

    it('ends the session for another reason when it is tried again', () => {
      const { said } = play(
        { store: stored('b/1'), histories: three(), refused: ['a/'], untilMs: 10_000 },
        { 1_000: (link) => (link.listFails = new EtcdError('etcd-silent', 'silent')) },
      );
      expect(said.at(-1)).toBe('2004 etcd-silent');
    });
  });
});
