import { Subscription } from 'rxjs';
import type { MessageSource } from '../../core/sources/message-source.js';
import { errorText } from '../../operators/error-text.js';
import {
  type ConformanceCase,
  type Patience,
  type UntilSame,
  expectSame,
  listen,
  untilSameWithin,
} from './conformance-case.js';

/** One source of messages under test. Every case makes a new one. */
export interface MessageSourceHarness extends Patience {
  readonly source: MessageSource;
  /** The beginning of the subjects on which the cases publish, with a dot at its end. */
  readonly prefix?: string;
  /** Publishes a message to the system behind the source. */
  readonly publish: (subject: string, data: Uint8Array) => PromiseLike<unknown> | void;
  /** The number of sockets, timers and listeners that the source has open. */
  readonly open: () => number;
  /** Makes the system unreachable, until the returned function is called. Absent if that cannot happen. */
  readonly interrupt?: () => PromiseLike<() => PromiseLike<unknown> | void>;
}

const ROUNDS = 100;

/** What one subscriber received, as `subject=data`. */
interface Received {
  readonly messages: string[];
  readonly states: string[];
  readonly subscription: Subscription;
}

/**
 * The conformance cases of {@link MessageSource}, for any test runner.
 *
 * 1. Building a source opens nothing; subscribing does.
 * 2. Every subscriber receives the messages on its subjects, in order, with their subjects, and no others. `*` matches one
 *    token of a subject, and `>` all further ones.
 * 3. The status is `live` while messages can arrive.
 * 4. Unsubscribing ends delivery and releases everything, also a hundred times in a row.
 * 5. An interruption is a status. After it, messages arrive again.
 *
 * @example
 * ```ts
 * import { MemoryMessages } from 'tidemark';
 * import { messageSourceCases } from 'tidemark/testing';
 *
 * const cases = messageSourceCases(() => {
 *   const source = new MemoryMessages();
 *   return { source, publish: (subject, data) => source.publish(subject, data), open: () => 0 };
 * });
 * for (const { name, run } of cases) {
 *   await run();
 *   console.log(name);
 * }
 * // Logs: building it opens nothing
 * // Logs: messages arrive in order, with their subjects
 * // Logs: only messages on its own subjects arrive
 * // Logs: wildcards match tokens of a subject
 * // Logs: every subscriber receives every message
 * // Logs: the status is live, for late subscribers too
 * // Logs: unsubscribing ends delivery and releases everything
 * // Logs: a hundred rounds of subscribing leave nothing open
 * ```
 *
 * @param make makes a new source; a case that needs an absent function is omitted
 *
 * @see {@link keySourceCases}
 */
export function messageSourceCases(make: () => MessageSourceHarness): ConformanceCase[] {
  const withSource = (name: string, body: (use: MessageSourceUse) => Promise<void>): ConformanceCase => ({
    name,
    run: () => body(new MessageSourceUse(make())),
  });
  return [
    withSource('building it opens nothing', async (use) => {
      expectSame('open', use.harness.open(), 0);
      await Promise.resolve();
    }),
    withSource('messages arrive in order, with their subjects', async (use) => {
      const { messages, subscription } = await use.listen('a', 'b');
      await use.publish('a', 1);
      await use.publish('b', 2);
      await use.publish('a', 3);
      await use.untilSame('messages', () => messages, ['a=1', 'b=2', 'a=3']);
      subscription.unsubscribe();
    }),
    withSource('only messages on its own subjects arrive', async (use) => {
      const { messages, subscription } = await use.listen('a');
      for (const subject of ['ab', 'a.b', 'b', 'b.a']) await use.publish(subject, 1);
      await use.publish('a', 2);
      await use.untilSame('messages', () => messages, ['a=2']);
      subscription.unsubscribe();
    }),
    withSource('wildcards match tokens of a subject', async (use) => {
      const one = await use.listen('a.*.c');
      const more = await use.listen('a.>');
      for (const subject of ['a', 'a.c', 'a.b.d', 'a.b.c.d', 'a.b.c']) await use.publish(subject, 1);
      await use.untilSame('of *', () => one.messages, ['a.b.c=1']);
      await use.untilSame('of >', () => more.messages, ['a.c=1', 'a.b.d=1', 'a.b.c.d=1', 'a.b.c=1']);
      for (const { subscription } of [one, more]) subscription.unsubscribe();
    }),
    withSource('every subscriber receives every message', async (use) => {
      const both = [await use.listen('a'), await use.listen('a')];
      for (const value of [1, 2]) await use.publish('a', value);
      for (const { messages } of both) await use.untilSame('messages', () => messages, ['a=1', 'a=2']);
      for (const { subscription } of both) subscription.unsubscribe();
    }),
    withSource('the status is live, for late subscribers too', async (use) => {
      const { subscription } = await use.listen('a');
      const states: string[] = [];
      listen(use.harness.source.status$, states).unsubscribe();
      expectSame('current state', states, ['live']);
      subscription.unsubscribe();
    }),
    withSource('unsubscribing ends delivery and releases everything', async (use) => {
      const [first, second] = [await use.listen('a'), await use.listen('a')];
      first.subscription.unsubscribe();
      await use.publish('a', 1);
      await use.untilSame('messages of the second', () => second.messages, ['a=1']);
      expectSame('messages of the first', first.messages, []);
      second.subscription.unsubscribe();
      await use.untilSame('open', () => use.harness.open(), 0);
    }),
    withSource('a hundred rounds of subscribing leave nothing open', async (use) => {
      for (let round = 0; round < ROUNDS; round += 1) (await use.listen('a')).subscription.unsubscribe();
      await use.untilSame('open', () => use.harness.open(), 0);
    }),
    ...(make().interrupt === undefined
      ? []
      : [
          withSource('messages arrive again after an interruption', async (use) => {
            const { messages, states, subscription } = await use.listen('a');
            const restore = await use.harness.interrupt?.();
            await use.untilSame('state', () => states.at(-1) === 'live', false);
            await restore?.();
            await use.untilSame('state', () => states.at(-1), 'live');
            await use.publish('a', 1);
            await use.untilSame('messages', () => messages, ['a=1']);
            subscription.unsubscribe();
          }),
        ]),
  ];
}

/** A source while a case uses it. */
class MessageSourceUse {
  readonly untilSame: UntilSame;
  private listeners = 0;
  private readonly prefix: string;

  constructor(readonly harness: MessageSourceHarness) {
    this.prefix = harness.prefix ?? '';
    this.untilSame = untilSameWithin(harness);
  }

  async publish(subject: string, value: number): Promise<void> {
    await this.harness.publish(this.prefix + subject, new Uint8Array([value]));
  }

  /** Subscribes to subjects and to the status, and waits until messages arrive. */
  async listen(...subjects: readonly string[]): Promise<Received> {
    const { source } = this.harness;
    const received: Received = { messages: [], states: [], subscription: new Subscription() };
    this.listeners += 1;
    const readiness = `ready-${this.listeners}`;
    let isReady = false;
    const messages$ = source.subscribe([...subjects, readiness].map((subject) => this.prefix + subject));
    received.subscription.add(
      messages$.subscribe({
        next: ({ subject, data }) => {
          const name = subject.slice(this.prefix.length);
          if (name === readiness) isReady = true;
          else received.messages.push(`${name}=${[...data].join()}`);
        },
        error: (error: unknown) => received.messages.push(`error: ${errorText(error)}`),
      }),
    );
    received.subscription.add(listen(source.status$, received.states));
    await this.untilSame('state', () => received.states.at(-1), 'live');
    // Nothing says when a subscription on a live source has taken effect.
    const arrived = (): boolean => {
      if (!isReady) void this.publish(readiness, 0);
      return isReady;
    };
    await this.untilSame('any message arrives', arrived, true);
    return received;
  }
}
