import { type Observable, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { MemoryMessages } from '../../../src/core/sources/message-source.js';
import type { LoadReceived } from '../../../src/core/events/fleet-event.js';
import type { LoadBatch } from '../../../src/core/events/load-batch.js';
import type { Problem } from '../../../src/core/sources/problem.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import { workerId } from '../../../src/core/worker-id.js';
import type { AccountingReport } from '../../../src/dynamo/loads/load-receiver.js';
import { receiveLoads, type ReceiveLoadsOptions } from '../../../src/dynamo/loads/receive-loads.js';
import {
  encodeActiveLoad,
  encodeActiveLoadJson,
  encodeEnvelope,
} from '../../../src/wire/loads/load-encoder.js';
import { FakeMessages } from './fake-messages.js';

const OLD = 'namespace.dynamo.kv_metrics';
const EVERY_ENDPOINT = 'namespace.dynamo.component.*.endpoint.*.kv_metrics';
const NEW = 'namespace.dynamo.component.backend.endpoint.generate.kv_metrics';

const load = (kvUsedBlocks: number) => ({
  workerId: workerId('18446744073709551615'),
  dpRank: 3,
  activeDecodeBlocks: null,
  activePrefillTokens: null,
  kvUsedBlocks,
});
const message = (sequence: number, kvUsedBlocks = 1): Uint8Array =>
  encodeEnvelope({ publisherId: '9', sequence, publishedAt: 1 }, encodeActiveLoad(load(kvUsedBlocks), 5));
const unreadable = Uint8Array.of(0xc1);

/** Lets everything that waits for the end of the turn happen. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Loads received from a fake source, in virtual time, with all outputs collected. */
function follow(options: ReceiveLoadsOptions & { form?: 'objects' } = {}) {
  const messages = new FakeMessages();
  const scheduler = new VirtualTimeScheduler();
  const source = receiveLoads(messages, { namespace: 'dynamo', scheduler, ...options });
  const [loads, statuses, problems]: [LoadReceived[], SourceStatus[], Problem[]] = [[], [], []];
  const reports: AccountingReport[] = [];
  const subscription = source.loads$.subscribe((next) => loads.push(next));
  subscription.add(source.status$.subscribe((next) => statuses.push(next)));
  subscription.add(source.problems$.subscribe((next) => problems.push(next)));
  subscription.add(source.accounting$.subscribe((next) => reports.push(next)));
  const advance = (ms: number): void => {
    scheduler.maxFrames = scheduler.frame + ms;
    scheduler.flush();
    scheduler.frame = scheduler.maxFrames;
  };
  return { ...source, messages, loads, statuses, problems, reports, subscription, advance };
}

describe('receiveLoads', () => {
  it('subscribes to nothing before it is subscribed to, and to nothing after', () => {
    const messages = new FakeMessages();
    const { loads$, status$, accounting$, problems$ } = receiveLoads(messages, { namespace: 'dynamo' });
    expect([messages.subscribed.size, messages.followers]).toEqual([0, 0]);
    const outputs: Observable<unknown>[] = [loads$, status$, accounting$, problems$];
    const subscriptions = outputs.map((output$) => output$.subscribe());
    expect([...messages.subscribed.values()]).toEqual([[OLD, EVERY_ENDPOINT]]);
    expect(messages.followers).toBe(1);
    for (const subscription of subscriptions) {
      expect(messages.subscribed.size).toBe(1);
      subscription.unsubscribe();
    }
    expect([messages.subscribed.size, messages.followers]).toEqual([0, 0]);
  });

  it.each<[string, ReceiveLoadsOptions, string[]]>([
    ['of one release, its subjects', { namespace: 'dynamo', release: '1.0' }, [OLD]],
    ['of a later release, its subjects', { namespace: 'dynamo', release: '1.6' }, [EVERY_ENDPOINT]],
    ['of an endpoint, those of its namespace too', { endpoint: 'dynamo.backend.generate' }, [OLD, NEW]],
    [
      'of a prefill endpoint, both endpoints',
      { endpoint: 'dynamo.backend.generate', prefillEndpoint: 'prefill.generate', release: '1.6' },
      [NEW, NEW.replace('backend', 'prefill')],
    ],
  ])('subscribes to the subjects %s', (_, options, expected) => {
    const messages = new FakeMessages();
    receiveLoads(messages, options).loads$.subscribe();
    expect([...messages.subscribed.values()]).toEqual([expected]);
  });

  it('refuses an invalid scope synchronously', () => {
    const messages = new FakeMessages();
    expect(() => receiveLoads(messages, { namespace: '' })).toThrow(
      expect.objectContaining({ code: 'scope' }) as Error,
    );
    expect(() => receiveLoads(messages, { endpoint: 'generate' })).toThrow(
      expect.objectContaining({ code: 'endpoint-name' }) as Error,
    );
  });

  it('emits loads of every release on receipt, to all subscribers', () => {
    const messages = new MemoryMessages();
    const { loads$ } = receiveLoads(messages, { namespace: 'dynamo' });
    const [loads, late]: [LoadReceived[], LoadReceived[]] = [[], []];
    loads$.subscribe((next) => loads.push(next));
    messages.publish(NEW, message(0, 5));
    loads$.subscribe((next) => late.push(next));
    messages.publish(OLD, encodeActiveLoadJson({ ...load(0), activeDecodeBlocks: 6 }));
    messages.publish(NEW.replace('dynamo', 'other'), message(1, 7));
    expect(loads).toMatchObject([load(5), { activeDecodeBlocks: 6, dpRank: 3 }]);
    expect(late).toHaveLength(1);
  });

  it('columns contain the messages of one turn, and equal the objects', async () => {
    const messages = new FakeMessages();
    const rows: (readonly [string, number, number | undefined])[][] = [];
    const source = receiveLoads(messages, { namespace: 'dynamo', form: 'columns' });
    const subscription = source.loads$.subscribe(({ workerIds, dpRank, kvUsedBlocks }: LoadBatch) =>
      rows.push(workerIds.map((id, row) => [id, dpRank[row] ?? -1, kvUsedBlocks[row]])),
    );
    for (const value of [1, 2]) messages.deliver(message(value, value));
    expect(rows).toEqual([]);
    await settle();
    messages.deliver(message(3, 3));
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
    const messages = new FakeMessages();
    const counts: number[] = [];
    const source = receiveLoads(messages, { namespace: 'dynamo', form: 'columns' });
    const subscription = source.loads$.subscribe(({ count }) => counts.push(count));
    for (let n = 0; n < loads; n += 1) messages.deliver(message(n));
    await settle();
    expect(counts).toEqual(expected);
    subscription.unsubscribe();
  });

  it('a message that cannot be decoded is a counted problem with its subject, and the stream continues', () => {
    const { messages, loads, problems, reports, advance } = follow();
    for (let n = 0; n < 3; n += 1) messages.deliver(unreadable, NEW);
    messages.deliver(message(0), NEW);
    expect(problems, 'at most once a second').toEqual([]);
    advance(1_000);
    expect(loads).toHaveLength(1);
    expect(reports.map(({ account }) => account.failed)).toEqual([3]);
    expect(problems).toMatchObject([{ code: 'undecodable', source: 'loads', count: 3 }]);
    expect(problems[0]?.text).toContain(`ignored a load message on ${NEW} that cannot be decoded: `);
  });

  it.each(['objects', 'columns'] as const)(
    '%s: reads only the subject of a message that it reports, because a client decodes it on access',
    (form) => {
      const messages = new FakeMessages();
      const subscription = receiveLoads(messages, { namespace: 'dynamo', form }).status$.subscribe();
      messages.deliver(message(0));
      messages.deliver(message(1));
      expect(messages.subjectsRead).toBe(0);
      for (let n = 0; n < 3; n += 1) messages.deliver(unreadable);
      expect(messages.subjectsRead).toBe(1);
      subscription.unsubscribe();
    },
  );

  it('reports accounts at most once a second and only after a change; a late subscriber gets the last one', () => {
    const { messages, accounting$, reports, advance } = follow();
    advance(1_000);
    expect(reports).toEqual([]);
    messages.deliver(message(0));
    messages.deliver(message(1));
    advance(3_000);
    expect(reports.map(({ account }) => account.messages)).toEqual([2]);
    const late: number[] = [];
    accounting$.subscribe(({ account }) => late.push(account.messages));
    expect(late).toEqual([2]);
  });

  it('a loss of the connection is a status, an interval, and a gap in the numbers', () => {
    const { messages, statuses, reports, advance } = follow();
    messages.deliver(message(0));
    messages.say({ state: 'down', why: 'lost.', retryInMs: 5 });
    advance(700);
    messages.say({ state: 'live' });
    messages.deliver(message(4));
    advance(300);
    expect(statuses.map(({ source, state }) => `${source} ${state}`)).toEqual([
      'loads live',
      'loads down',
      'loads live',
    ]);
    expect(statuses[1]).toMatchObject({ why: 'lost.', retryInMs: 5 });
    const { account, gaps } = reports.at(-1) ?? expect.fail();
    expect(gaps).toMatchObject([{ publisherId: '9', from: 1, to: 3, missing: 3, detached: true }]);
    expect(account.detached).toMatchObject({ times: 1, milliseconds: 700 });
  });

  it('a gap without a loss of the connection is not detached', () => {
    const { messages, reports, advance } = follow();
    for (const sequence of [0, 4]) messages.deliver(message(sequence));
    advance(1_000);
    expect(reports.at(-1)?.gaps).toMatchObject([{ missing: 3, detached: false }]);
    expect(reports.at(-1)?.account.detached).toMatchObject({ times: 0 });
  });

  it('a message that arrives before the status is live ends the interval', () => {
    const { messages, reports, advance } = follow();
    messages.deliver(message(0));
    messages.say({ state: 'down' });
    advance(500);
    messages.deliver(message(2));
    advance(100);
    messages.say({ state: 'live' });
    advance(1_000);
    expect(reports.at(-1)?.account.detached).toMatchObject({ times: 1, milliseconds: 500 });
    expect(reports.at(-1)?.gaps).toMatchObject([{ missing: 1, detached: true }]);
  });

  it('the time before the first connection is not an interval', () => {
    const messages = new FakeMessages();
    messages.say({ state: 'connecting' });
    const scheduler = new VirtualTimeScheduler();
    const reports: AccountingReport[] = [];
    receiveLoads(messages, { scheduler }).accounting$.subscribe((report) => reports.push(report));
    scheduler.maxFrames = 5_000;
    scheduler.flush();
    messages.say({ state: 'live' });
    messages.deliver(message(0));
    scheduler.maxFrames = 7_000;
    scheduler.flush();
    expect(reports.at(-1)?.account.detached).toMatchObject({ times: 0 });
  });

  it('a package that cannot be used is a problem, once', () => {
    const { messages, problems } = follow();
    const status = { state: 'down', code: 'package-missing', why: 'install it.' } as const;
    messages.say(status);
    messages.say({ ...status, retryInMs: 5 });
    expect(problems).toEqual([{ code: 'package-missing', source: 'loads', text: 'install it.', count: 1 }]);
  });

  it('when the source completes, the last account and the last problem are emitted before completion', () => {
    const messages = new FakeMessages();
    const { accounting$, problems$ } = receiveLoads(messages, { namespace: 'dynamo' });
    const emitted: unknown[] = [];
    const complete = (): number => emitted.push('completed');
    accounting$.subscribe({
      next: ({ account, gaps }) => emitted.push(account.messages, gaps.length),
      complete,
    });
    problems$.subscribe({ next: ({ code }) => emitted.push(code), complete });
    for (const sequence of [0, 3]) messages.deliver(message(sequence));
    messages.deliver(unreadable);
    messages.end();
    expect(emitted).toEqual([3, 1, 'undecodable', 'completed', 'completed']);
  });

  it.each(['objects', 'columns'] as const)(
    '%s: reports a publisher that is not accountable once, with the reason and without a number',
    (form) => {
      const messages = new FakeMessages();
      const source = receiveLoads(messages, { namespace: 'dynamo', form } as ReceiveLoadsOptions);
      const problems: unknown[] = [];
      source.problems$.subscribe(({ code, text, count }) => problems.push([code, text, count]));
      let missing: unknown;
      source.accounting$.subscribe(({ account }) => (missing = account.sequences.missing));
      for (const sequence of [10, 500, 11, 501, 12]) messages.deliver(message(sequence));
      messages.end();
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

  it('all outputs complete with the source, and a late subscriber of the status gets the current one', () => {
    const { messages, loads$, status$ } = follow();
    let completed = 0;
    const seen: string[] = [];
    loads$.subscribe({ complete: () => (completed += 1) });
    status$.subscribe({ next: ({ state }) => seen.push(state), complete: () => (completed += 1) });
    messages.end();
    expect([seen, completed]).toEqual([['live'], 2]);
  });
});
