import { describe, expect, it, vi } from 'vitest';
import { natsLoads } from '../../../src/dynamo/loads/receive-loads.js';
import type { LoadReceived } from '../../../src/core/events/fleet-event.js';
import type { LoadBatch } from '../../../src/core/events/load-batch.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import { workerId } from '../../../src/core/worker-id.js';
import {
  encodeActiveLoad,
  encodeActiveLoadJson,
  encodeEnvelope,
} from '../../../src/wire/loads/load-encoder.js';
import { FakeNatsLink } from '../../adapters/nats/fake-nats-link.js';

const OLD = 'namespace.dynamo.kv_metrics';
const NEW = 'namespace.dynamo.component.*.endpoint.*.kv_metrics';

const load = (kvUsedBlocks: number) => ({
  workerId: workerId('18446744073709551615'),
  dpRank: 3,
  activeDecodeBlocks: null,
  activePrefillTokens: null,
  kvUsedBlocks,
});
const message = (sequence: number, kvUsedBlocks = 1): Uint8Array =>
  encodeEnvelope({ publisherId: '9', sequence, publishedAt: 1 }, encodeActiveLoad(load(kvUsedBlocks), 5));

/** Lets what the client's promises and microtasks are to do happen. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function follow(link: FakeNatsLink) {
  const source = natsLoads({ connection: link, namespace: 'dynamo' });
  const [loads, statuses, problems]: [LoadReceived[], SourceStatus[], string[]] = [[], [], []];
  const subscription = source.loads$.subscribe((next) => loads.push(next));
  subscription.add(source.status$.subscribe((next) => statuses.push(next)));
  subscription.add(source.problems$.subscribe(({ text, count }) => problems.push(`${count} × ${text}`)));
  return { ...source, loads, statuses, problems, subscription };
}

describe('natsLoads over a given connection', () => {
  it('subscribes to nothing before it is subscribed to, and to nothing after', async () => {
    const link = new FakeNatsLink();
    const { loads$, status$, accounting$ } = natsLoads({ connection: link, namespace: 'dynamo' });
    expect(link.subscriptions.size).toBe(0);
    const subscriptions = [loads$.subscribe(), status$.subscribe(), accounting$.subscribe()];
    await settle();
    expect([...link.subscriptions.keys()]).toEqual([OLD, NEW]);
    for (const subscription of subscriptions) subscription.unsubscribe();
    expect(link.subscriptions.size).toBe(0);
  });

  it('emits loads of every release on receipt, to all subscribers', async () => {
    const link = new FakeNatsLink();
    const { loads, loads$, subscription } = follow(link);
    await settle();
    const late: LoadReceived[] = [];
    link.deliver(NEW, message(0, 5));
    subscription.add(loads$.subscribe((next) => late.push(next)));
    link.deliver(OLD, encodeActiveLoadJson({ ...load(0), activeDecodeBlocks: 6 }));
    expect(loads).toMatchObject([load(5), { activeDecodeBlocks: 6, dpRank: 3 }]);
    expect(late).toHaveLength(1);
    subscription.unsubscribe();
  });

  it('columns contain the messages of one read of the client, and equal the objects', async () => {
    const link = new FakeNatsLink();
    const rows: (readonly [string, number, number | undefined])[][] = [];
    const source = natsLoads({ connection: link, namespace: 'dynamo', form: 'columns' });
    const subscription = source.loads$.subscribe(({ workerIds, dpRank, kvUsedBlocks }: LoadBatch) =>
      rows.push(workerIds.map((id, row) => [id, dpRank[row] ?? -1, kvUsedBlocks[row]])),
    );
    await settle();
    for (const value of [1, 2]) link.deliver(NEW, message(value, value));
    expect(rows).toEqual([]);
    await settle();
    link.deliver(NEW, message(3, 3));
    await settle();
    const { workerId: id, dpRank } = load(0);
    expect(rows).toEqual([
      [
        [id, dpRank, 1],
        [id, dpRank, 2],
      ],
      [[id, dpRank, 3]],
    ]);
    subscription.unsubscribe();
  });

  it.each([
    ['one read of a socket is one batch', 1_300, [1_300]],
    ['a larger read makes as few batches as possible, and nothing is lost', 5_000, [2_048, 2_048, 904]],
  ])('columns: %s', async (_, loads, expected) => {
    const link = new FakeNatsLink();
    const counts: number[] = [];
    const source = natsLoads({ connection: link, namespace: 'dynamo', form: 'columns' });
    const subscription = source.loads$.subscribe(({ count }) => counts.push(count));
    await settle();
    for (let n = 0; n < loads; n += 1) link.deliver(NEW, message(n));
    await settle();
    expect(counts).toEqual(expected);
    subscription.unsubscribe();
  });

  it('a message that cannot be decoded is a counted problem with its subject, and the stream continues', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const link = new FakeNatsLink();
      const { loads, problems, accounting$, subscription } = follow(link);
      const accounts: number[] = [];
      subscription.add(accounting$.subscribe(({ account }) => accounts.push(account.failed)));
      await settle();
      for (let n = 0; n < 3; n += 1) link.deliver(NEW, Uint8Array.of(0xc1));
      link.deliver(NEW, message(0));
      vi.advanceTimersByTime(1_000);
      expect(loads).toHaveLength(1);
      expect(accounts).toEqual([3]);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain(`3 × ignored a load message on ${NEW} that cannot be decoded: `);
      subscription.unsubscribe();
    } finally {
      vi.useRealTimers();
    }
  });

  it('its owner closes the connection: the last account and the last problem are emitted before completion', async () => {
    const link = new FakeNatsLink();
    const { accounting$, problems$ } = natsLoads({ connection: link, namespace: 'dynamo' });
    const emitted: unknown[] = [];
    const complete = (): number => emitted.push('completed');
    accounting$.subscribe({
      next: ({ account, gaps }) => emitted.push(account.messages, gaps.length),
      complete,
    });
    problems$.subscribe({ next: ({ code }) => emitted.push(code), complete });
    await settle();
    for (const sequence of [0, 3]) link.deliver(NEW, message(sequence));
    link.deliver(NEW, Uint8Array.of(0xc1));
    link.close();
    await settle();
    expect(emitted).toEqual([3, 1, 'undecodable', 'completed', 'completed']);
  });

  it.each(['objects', 'columns'] as const)(
    '%s: reports a publisher that is not accountable once, with the reason and without a number',
    async (form) => {
      const link = new FakeNatsLink();
      const options = { connection: link, namespace: 'dynamo' };
      const source = form === 'objects' ? natsLoads(options) : natsLoads({ ...options, form: 'columns' });
      const problems: unknown[] = [];
      source.problems$.subscribe(({ code, text, count }) => problems.push([code, text, count]));
      let missing: unknown;
      source.accounting$.subscribe(({ account }) => (missing = account.sequences.missing));
      await settle();
      for (const sequence of [10, 500, 11, 501, 12]) link.deliver(NEW, message(sequence));
      link.close();
      await settle();
      expect(problems).toEqual([
        [
          'publisher-not-accountable',
          'the lost messages of publisher 9 cannot be counted: several publishers use its id, and their numbers cannot be told apart',
          1,
        ],
      ]);
      expect(missing).toBe(0);
    },
  );

  it.each(['objects', 'columns'] as const)(
    '%s: reads only the subject of a message that it reports, because the client decodes it on access',
    async (form) => {
      const link = new FakeNatsLink();
      const options = { connection: link, namespace: 'dynamo' };
      const source = form === 'objects' ? natsLoads(options) : natsLoads({ ...options, form: 'columns' });
      const subscription = source.status$.subscribe();
      await settle();
      link.deliver(NEW, message(0));
      link.deliver(NEW, message(1));
      expect(link.subjectsRead).toBe(0);
      for (let n = 0; n < 3; n += 1) link.deliver(NEW, Uint8Array.of(0xc1));
      expect(link.subjectsRead).toBe(1);
      subscription.unsubscribe();
    },
  );

  it('a loss of the connection is a status, an interval, and a gap in the numbers', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const link = new FakeNatsLink();
      const { statuses, accounting$, subscription } = follow(link);
      const gaps: unknown[] = [];
      subscription.add(accounting$.subscribe((report) => gaps.push(...report.gaps)));
      await settle();
      link.deliver(NEW, message(0));
      link.say('disconnect');
      await settle();
      expect(link.subscriptions.size).toBe(0);
      link.say('reconnect');
      await settle();
      link.deliver(NEW, message(4));
      vi.advanceTimersByTime(1_000);
      expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'live', 'down', 'live']);
      expect(gaps).toMatchObject([{ publisherId: '9', from: 1, to: 3, missing: 3, detached: true }]);
      subscription.unsubscribe();
    } finally {
      vi.useRealTimers();
    }
  });

  it('a subject that the server refuses is reported, and the others are subscribed to', async () => {
    const link = new FakeNatsLink();
    link.refused = [OLD];
    const { statuses, subscription } = follow(link);
    await settle();
    expect(statuses.at(-1)).toMatchObject({ state: 'live' });
    expect(statuses.at(-1)?.why).toContain(OLD);
    subscription.unsubscribe();
  });

  it('when the server refuses all of them, that is down, with the reason', async () => {
    const link = new FakeNatsLink();
    link.refused = [OLD, NEW];
    const { statuses, subscription } = follow(link);
    await settle();
    expect(statuses.at(-1)).toMatchObject({ state: 'down' });
    expect(statuses.at(-1)?.why).toMatch(/permission/i);
    subscription.unsubscribe();
  });

  it('ends when the owner closes the connection', async () => {
    const link = new FakeNatsLink();
    const { statuses, loads$ } = follow(link);
    let completed = 0;
    loads$.subscribe({ complete: () => (completed += 1) });
    await settle();
    link.close();
    await settle();
    expect(statuses.at(-1)).toMatchObject({ state: 'ended' });
    expect(completed).toBe(1);
  });
});
