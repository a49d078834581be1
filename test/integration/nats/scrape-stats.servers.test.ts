import { connect as connectThree } from '@nats-io/transport-node';
import { connect as connectTwo } from 'nats';
import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { NatsLink } from '../../../src/adapters/nats/nats-link.js';
import { NatsOptionsError } from '../../../src/adapters/nats/nats-options.js';
import { scrapeStats } from '../../../src/adapters/nats/scrape-stats.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import { freePort } from '../../support/free-port.js';
import { startNats } from '../../support/nats-server.js';
import { ownName, sharedNats } from '../../support/shared-servers.js';
import { Responders } from './responders.js';
import { outcome, scrapeOf, scrapeOfAll, SUBJECT } from './scrape-outcome.js';

type Owned = NatsLink & { close(): Promise<void> };
const clients: readonly (readonly [string, (servers: string) => Promise<Owned>])[] = [
  ['nats 2', (servers) => connectTwo({ servers })],
  ['@nats-io/transport-node 3', (servers) => connectThree({ servers })],
];

describe('scrapeStats', () => {
  it('all problems of invalid options are reported at once', () => {
    const wrong = { windowMs: -1, maxReplies: 0, maxBytes: NaN, inboxPrefix: 'a..b' };
    let problems: readonly string[] = [];
    try {
      scrapeStats({ servers: 'nats://127.0.0.1' }, 'a b', wrong);
    } catch (error) {
      problems = error instanceof NatsOptionsError ? error.problems : [];
    }
    expect(problems).toHaveLength(5);
    expect(() => scrapeStats({ servers: [] }, 'a')).toThrow(NatsOptionsError);
  });
});

describeWith('nats-server', 'scrapeStats', () => {
  it('emits every reply of every responder, in order of arrival and undecoded; and again for another subscriber', async () => {
    const server = await sharedNats();
    const service = ownName('backend');
    await using responders = await Responders.connect(server.url, 2);
    await responders.add(`$SRV.STATS.${service}`, () => ({ reply: 'one' }));
    await responders.add(`$SRV.STATS.${service}`, () => ({ reply: Uint8Array.of(0xff), afterMs: 50 }));
    await responders.add('$SRV.STATS.other', () => ({ reply: 'another service' }));
    const scrape$ = scrapeOfAll({ servers: server.url }, service, () => 2);
    expect(await outcome(scrape$)).toEqual({ texts: ['one', '\ufffd'], error: null });
    expect(await outcome(scrape$)).toEqual({ texts: ['one', '\ufffd'], error: null });
    expect(responders.asked).toEqual([2, 2, 0]);
  });

  it('null asks every service', async () => {
    const server = await sharedNats();
    await using responders = await Responders.connect(server.url);
    await responders.add('$SRV.STATS', () => ({ reply: 'any' }));
    expect(await outcome(scrapeStats({ servers: server.url }, null))).toEqual({
      texts: ['any'],
      error: null,
    });
  });

  it('no responders - completes at once, with no replies', async () => {
    const server = await sharedNats();
    const service = ownName('backend');
    // The test ends long before the window.
    const scrape$ = scrapeOf({ servers: server.url }, { windowMs: 600_000 }, service);
    expect(await outcome(scrape$)).toEqual({ texts: [], error: null });
  });

  it('responders that do not reply - completes at the end of the window, without an error', async () => {
    const server = await sharedNats();
    const service = ownName('backend');
    await using responders = await Responders.connect(server.url);
    await responders.add(`$SRV.STATS.${service}`, () => null);
    expect(await outcome(scrapeOf({ servers: server.url }, {}, service))).toEqual({ texts: [], error: null });
    expect(responders.asked).toEqual([1]);
  });

  it('includes a slow reply, but not one after the window, nor does the next scrape', async () => {
    const server = await sharedNats();
    const service = ownName('backend');
    await using responders = await Responders.connect(server.url);
    const late: (() => Promise<void>)[] = [];
    await responders.add(`$SRV.STATS.${service}`, () => ({ reply: 'slow', afterMs: 200 }));
    await responders.add(`$SRV.STATS.${service}`, () => ({ reply: 'late', later: (say) => late.push(say) }));
    const scrape$ = scrapeOfAll({ servers: server.url }, service, () => 1);
    expect(await outcome(scrape$)).toEqual({ texts: ['slow'], error: null });
    const second = outcome(scrape$);
    // Both received another request, and the late reply to the first scrape arrives before the slow one to the second.
    await eventually(() => expect(late).toHaveLength(2));
    await late[0]?.();
    expect(await second).toEqual({ texts: ['slow'], error: null });
  });

  it('includes what the server delivered within the window, even if this process was too busy to read it', async () => {
    const server = await sharedNats();
    const service = ownName('backend');
    await using responders = await Responders.connect(server.url);
    let blocked = false;
    const standStill = (): void => {
      const until = performance.now() + 2_500;
      while (blocked && performance.now() < until);
    };
    await responders.add(`$SRV.STATS.${service}`, () => {
      // The reply is sent before this process is blocked, and arrives in the meantime.
      setImmediate(standStill);
      return { reply: 'one' };
    });
    const scrape$ = scrapeOf({ servers: server.url }, { windowMs: 2_000 }, service);
    await outcome(scrape$);
    blocked = true;
    expect((await outcome(scrape$)).texts).toEqual(['one']);
  });

  it('replies and bytes have limits', async () => {
    const server = await sharedNats();
    const service = ownName('backend');
    await using responders = await Responders.connect(server.url);
    await responders.add(`$SRV.STATS.${service}`, () => ({ reply: 'x'.repeat(1_000), times: 50 }));
    const replies = await outcome(scrapeOf({ servers: server.url }, { maxReplies: 20 }, service));
    expect([replies.texts.length, replies.error?.code]).toEqual([20, 'too-many-replies']);
    const bytes = await outcome(scrapeOf({ servers: server.url }, { maxBytes: 9_500 }, service));
    expect([bytes.texts.length, bytes.error?.code]).toEqual([9, 'too-many-bytes']);
    const enough = await outcome(
      scrapeOf({ servers: server.url }, { windowMs: 3_000, maxReplies: 50, maxBytes: 50_000 }, service),
    );
    expect([enough.texts.length, enough.error]).toEqual([50, null]);
  });

  it('no server - is an error, and the next scrape after the server starts is complete', async () => {
    await using server = await startNats();
    await server.kill();
    const scrape$ = scrapeOf({ servers: server.url });
    const { texts, error } = await outcome(scrape$);
    expect([texts, error?.code]).toEqual([[], 'disconnected']);
    expect(error?.message).toContain('ECONNREFUSED');
    await server.restart();
    await eventually(async () => expect(await outcome(scrape$)).toEqual({ texts: [], error: null }));
  });

  it.each([
    ['the request', `publish: { deny: ["$SRV.>"] }`, `publishing on ${SUBJECT}`],
    ['the inbox', `subscribe: { deny: ["_INBOX.>"] }`, 'subscribing to _INBOX'],
  ])('no permission for %s - is an error with that reason', async (_, permissions, text) => {
    await using server = await startNats({
      configText: `authorization { users: [ { user: me, password: secret, permissions: { ${permissions} } } ] }`,
    });
    const auth = { user: 'me', pass: 'secret' };
    const servers = server.url;
    const own = { servers, auth: { user: 'me', password: 'secret' } };
    const two = await connectTwo({ servers, ...auth });
    const three = await connectThree({ servers, ...auth });
    for (const access of [own, two, three]) {
      const { error } = await outcome(scrapeOf(access));
      expect(error?.code).toBe('refused');
      expect(error?.message).toContain(text);
    }
    await Promise.all([two.close(), three.close()]);
  });

  it('uses another inbox prefix, where the server permits no other', async () => {
    await using server = await startNats({
      configText: `authorization { users: [
        { user: us, password: secret }
        { user: me, password: secret, permissions: { subscribe: ["mine.>"] } }
      ] }`,
    });
    await using responders = await Responders.connect(server.url, 1, { user: 'us', pass: 'secret' });
    await responders.add(SUBJECT, () => ({ reply: 'one' }));
    const access = { servers: server.url.replace('//', '//me:secret@') };
    expect((await outcome(scrapeOf(access, { inboxPrefix: 'mine.inbox' }))).texts).toEqual(['one']);
  });

  it('teardown - leaves no subscription, and later no connection', async () => {
    const monitor = await freePort();
    await using server = await startNats({ configText: `http: "127.0.0.1:${monitor}"` });
    await using responders = await Responders.connect(server.url);
    const subscriptions = async (): Promise<number> => {
      const page = (await (await fetch(`http://127.0.0.1:${monitor}/connz?subs=1`)).json()) as {
        connections: { name?: string; subscriptions_list?: string[] }[];
      };
      return page.connections.flatMap(({ subscriptions_list = [] }) => subscriptions_list).length;
    };
    const connections = async (): Promise<number> => {
      const page = (await (await fetch(`http://127.0.0.1:${monitor}/connz`)).json()) as {
        num_connections: number;
      };
      return page.num_connections;
    };
    await responders.add(SUBJECT, () => ({ reply: 'one' }));
    // A connection that stays open does not remove a subscription.
    const connection = await connectTwo({ servers: server.url });
    const scraping = scrapeOf(connection, { windowMs: 600_000 }).subscribe();
    await eventually(async () => expect(await subscriptions()).toBe(2));
    scraping.unsubscribe();
    await eventually(async () => expect(await subscriptions()).toBe(1));
    await outcome(scrapeOf(connection));
    await eventually(async () => expect(await subscriptions()).toBe(1));
    await connection.close();
    await outcome(scrapeOf({ servers: server.url }));
    expect(await connections()).toBe(2);
    await eventually(async () => expect(await connections()).toBe(1));
  });

  it('interrupted - keeps the replies so far, reports the reason, and the next scrape is complete', async () => {
    const server = await sharedNats();
    const service = ownName('backend');
    await using proxy = await startFaultProxy({ to: server.port });
    await using responders = await Responders.connect(server.url, 4);
    const answers = Array.from({ length: 100 }, (_, n) => () => ({
      reply: String(n),
      ...(n >= 50 && { afterMs: 20_000 }),
    }));
    await responders.addAll(`$SRV.STATS.${service}`, answers);
    const access = { servers: `nats://127.0.0.1:${proxy.port}` };
    const scrape$ = scrapeOf(access, { windowMs: 10_000 }, service);
    const scraping = outcome(scrape$);
    await eventually(() => responders.asked.every((count) => count === 1));
    proxy.cut();
    const { texts, error } = await scraping;
    expect(error?.code).toBe('disconnected');
    expect(texts.length).toBeLessThanOrEqual(50);
    await eventually(async () => {
      const healed = await outcome(scrapeOf(access, { windowMs: 500 }, service));
      expect([healed.texts.length, healed.error]).toEqual([50, null]);
    });
  });

  it.each(clients)(
    '%s - a given connection: is used, its loss is an error, and it stays open',
    async (_, connect) => {
      await using server = await startNats();
      await using responders = await Responders.connect(server.url);
      await responders.add(SUBJECT, () => ({ reply: 'one' }));
      const connection = await connect(server.url);
      expect(await outcome(scrapeOf(connection))).toEqual({ texts: ['one'], error: null });
      expect((await lastValueFrom(scrapeOf({ connection }).pipe(toArray()))).length).toBe(1);
      const scrape$ = scrapeStats(connection, 'unanswered', { windowMs: 600_000 });
      expect(await outcome(scrape$)).toEqual({ texts: [], error: null });
      const scraping = outcome(scrapeOf(connection, { windowMs: 60_000 }));
      await eventually(() => responders.asked[0] === 3);
      await server.kill();
      expect((await scraping).error?.code).toBe('disconnected');
      expect(connection.isClosed()).toBe(false);
      await connection.close();
      const { error } = await outcome(scrapeOf(connection));
      expect(error?.message).toContain('the owner closed the connection');
    },
  );

  it('1 000 responders - every scrape includes all of them', async () => {
    const server = await sharedNats();
    const service = ownName('backend');
    await using responders = await Responders.connect(server.url, 8);
    const answers = Array.from({ length: 1_000 }, (_, n) => () => ({ reply: `${n} ${'x'.repeat(600)}` }));
    await responders.addAll(`$SRV.STATS.${service}`, answers);
    const scrape$ = scrapeOfAll({ servers: server.url }, service, () => 1_000);
    for (let round = 0; round < 10; round += 1) {
      const { texts, error } = await outcome(scrape$);
      expect([new Set(texts.map((text) => text.split(' ')[0])).size, texts.length, error]).toEqual([
        1_000,
        1_000,
        null,
      ]);
    }
  });
});
