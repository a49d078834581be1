import { describe, expect, it } from 'vitest';
import { natsMessages } from '../../../src/adapters/nats/nats-messages.js';
import type { MessageSource } from '../../../src/core/sources/message-source.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import { FakeNatsLink } from './fake-nats-link.js';

const data = Uint8Array.of(1);

/** Lets what the client's promises and microtasks are to do happen. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a subscriber of these subjects receives. */
function receive(messages: MessageSource, ...subjects: string[]) {
  const subjectsReceived: string[] = [];
  const ends: string[] = [];
  const subscription = messages.subscribe(subjects).subscribe({
    next: ({ subject }) => subjectsReceived.push(subject),
    complete: () => ends.push('completed'),
    error: () => ends.push('failed'),
  });
  return { received: subjectsReceived, ends, subscription };
}

function statusesOf(messages: MessageSource): { statuses: SourceStatus[]; states: () => string[] } {
  const statuses: SourceStatus[] = [];
  messages.status$.subscribe((status) => statuses.push(status));
  return { statuses, states: () => statuses.map(({ state }) => state) };
}

describe('natsMessages over a given connection', () => {
  it('subscribes to nothing before it is subscribed to, and to nothing after', async () => {
    const link = new FakeNatsLink();
    const messages = natsMessages({ connection: link });
    const messages$ = messages.subscribe(['a', 'b.*']);
    await settle();
    expect(link.subscriptions.size).toBe(0);
    const subscriptions = [messages$.subscribe(), messages.status$.subscribe()];
    await settle();
    expect([...link.subscriptions.keys()]).toEqual(['a', 'b.*']);
    for (const subscription of subscriptions) subscription.unsubscribe();
    expect(link.subscriptions.size).toBe(0);
    expect(link.isClosed(), 'the connection is that of the caller').toBe(false);
  });

  it('delivers a message in the call in which the client does, with its bytes', async () => {
    const link = new FakeNatsLink();
    const received: unknown[] = [];
    natsMessages({ connection: link })
      .subscribe(['a'])
      .subscribe((message) => received.push(message));
    await settle();
    link.deliver('a', data);
    expect(received).toEqual([{ subject: 'a', data }]);
  });

  it('does not read the subject of a message, because the client decodes it on access', async () => {
    const link = new FakeNatsLink();
    const bytes: Uint8Array[] = [];
    natsMessages({ connection: link })
      .subscribe(['a'])
      .subscribe((message) => bytes.push(message.data));
    await settle();
    link.deliver('a', data);
    expect([bytes, link.subjectsRead]).toEqual([[data], 0]);
  });

  it('is connecting, live, and named; a late subscriber gets the current status first', async () => {
    const link = new FakeNatsLink();
    const messages = natsMessages({ connection: link, source: 'plane' });
    const { statuses } = statusesOf(messages);
    await settle();
    expect(statuses).toMatchObject([
      { source: 'plane', state: 'connecting' },
      { source: 'plane', state: 'live' },
    ]);
    expect(statusesOf(messages).states()).toEqual(['live']);
    expect(statusesOf(natsMessages({ connection: link })).statuses[0]?.source).toBe('nats');
  });

  it('each subscriber receives the messages on its own subjects, also where two name the same', async () => {
    const link = new FakeNatsLink();
    const messages = natsMessages({ connection: link });
    const [first, second] = [receive(messages, 'a', 'b'), receive(messages, 'b', 'c')];
    await settle();
    for (const subject of ['a', 'b', 'c']) link.deliver(subject, data);
    expect([first.received, second.received]).toEqual([
      ['a', 'b'],
      ['b', 'c'],
    ]);
    first.subscription.unsubscribe();
    expect([...link.subscriptions.keys()]).toEqual(['b', 'c']);
    for (const subject of ['a', 'b', 'c']) link.deliver(subject, data);
    expect([first.received.length, second.received.length]).toEqual([2, 4]);
  });

  it('a late subscriber is subscribed on the open connection, and the status stays live', async () => {
    const link = new FakeNatsLink();
    const messages = natsMessages({ connection: link });
    const { states } = statusesOf(messages);
    receive(messages, 'a');
    await settle();
    const late = receive(messages, 'b');
    await settle();
    link.deliver('b', data);
    expect(late.received).toEqual(['b']);
    late.subscription.unsubscribe();
    await settle();
    expect(states(), 'no status without a change').toEqual(['connecting', 'live']);
  });

  it('is live only when the server has answered to all present subscribers', async () => {
    const link = new FakeNatsLink();
    const answers: (() => void)[] = [];
    link.flush = () => new Promise((resolve) => answers.push(resolve));
    const messages = natsMessages({ connection: link });
    const [first, second] = [receive(messages, 'a'), receive(messages, 'b')];
    const { states } = statusesOf(messages);
    await settle();
    answers[0]?.();
    await settle();
    expect(states()).toEqual(['connecting']);
    second.subscription.unsubscribe();
    expect(states(), 'the other subscriber has left').toEqual(['connecting', 'live']);
    first.subscription.unsubscribe();
  });

  it('a loss of the connection is a status, and all present subscribers are subscribed again', async () => {
    const link = new FakeNatsLink();
    const messages = natsMessages({ connection: link });
    const { states } = statusesOf(messages);
    const [first, gone] = [receive(messages, 'a'), receive(messages, 'b')];
    await settle();
    link.say('disconnect');
    await settle();
    expect(link.subscriptions.size).toBe(0);
    gone.subscription.unsubscribe();
    const meanwhile = receive(messages, 'c');
    link.say('reconnect');
    await settle();
    expect([...link.subscriptions.keys()]).toEqual(['a', 'c']);
    link.deliver('a', data);
    link.deliver('c', data);
    expect([first.received, gone.received, meanwhile.received]).toEqual([['a'], [], ['c']]);
    expect(states()).toEqual(['connecting', 'live', 'down', 'live']);
  });

  it('a subject that the server refuses is reported, and the others are subscribed to', async () => {
    const link = new FakeNatsLink();
    link.refused = ['a'];
    const messages = natsMessages({ connection: link });
    const { statuses } = statusesOf(messages);
    const { received } = receive(messages, 'a', 'b');
    await settle();
    expect(statuses.at(-1)).toMatchObject({ state: 'live' });
    expect(statuses.at(-1)?.why).toContain('"a"');
    link.deliver('b', data);
    expect(received).toEqual(['b']);
  });

  it('a subscriber of whom everything is refused is reported until it leaves; the others stay live', async () => {
    const link = new FakeNatsLink();
    link.refused = ['a'];
    const messages = natsMessages({ connection: link });
    const { statuses, states } = statusesOf(messages);
    receive(messages, 'b');
    await settle();
    const refused = receive(messages, 'a');
    await settle();
    expect(statuses.at(-1)?.why).toMatch(/permission.*"a"/i);
    refused.subscription.unsubscribe();
    expect(statuses.at(-1)).not.toHaveProperty('why');
    expect(states()).toEqual(['connecting', 'live', 'live', 'live']);
    expect(refused.ends).toEqual([]);
  });

  it('when the server refuses all subjects, that is down, with the reason', async () => {
    const link = new FakeNatsLink();
    link.refused = ['a', 'b'];
    const messages = natsMessages({ connection: link });
    const { statuses } = statusesOf(messages);
    const receivers = [receive(messages, 'a'), receive(messages, 'b')];
    await settle();
    expect(statuses.at(-1)).toMatchObject({ state: 'down' });
    expect(statuses.at(-1)?.why).toMatch(/permission/i);
    expect(receivers.flatMap(({ ends }) => ends)).toEqual([]);
  });

  it('completes when the owner closes the connection, and never errors', async () => {
    const link = new FakeNatsLink();
    const messages = natsMessages({ connection: link });
    const { statuses } = statusesOf(messages);
    const receivers = [receive(messages, 'a'), receive(messages, 'b')];
    await settle();
    link.close();
    await settle();
    expect(statuses.at(-1)).toMatchObject({ state: 'ended' });
    expect(receivers.map(({ ends }) => ends)).toEqual([['completed'], ['completed']]);
  });
});
