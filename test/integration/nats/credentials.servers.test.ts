import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { makeNatsAccounts } from '../../support/nats-accounts.js';
import { startNats } from '../../support/nats-server.js';
import { Listener } from './load-recorder.js';

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;

describeWith('nats-server', 'natsLoads with credentials that an account signed', () => {
  it('are accepted; those of another account are refused, and no secret is shown', async () => {
    const [accounts, others] = await Promise.all([makeNatsAccounts(), makeNatsAccounts()]);
    await using server = await startNats({ configText: accounts.configText });
    using listener = new Listener({
      servers: server.url,
      auth: { credentials: await accounts.credentials() },
    });
    await listener.until('live');
    const credentials = await others.credentials();
    using stranger = new Listener({ servers: server.url, auth: { credentials } });
    await stranger.until('down');
    expect(stranger.whys).toMatch(/Authorization Violation.*credentials/i);
    for (const line of credentials.split('\n').filter((text) => /^\w{20}/.test(text)))
      expect(stranger.whys).not.toContain(line);
  });

  it('that have expired are refused, with what to check', async () => {
    const accounts = await makeNatsAccounts();
    await using server = await startNats({ configText: accounts.configText });
    const credentials = await accounts.credentials({ exp: inSeconds(-5) });
    using listener = new Listener({ servers: server.url, auth: { credentials } });
    await listener.until('down');
    expect(listener.whys).toMatch(
      /Authorization Violation.*credentials: they may be wrong, expired, or missing/i,
    );
    expect(listener.state).toBe('down');
    using other = new Listener({ servers: server.url, auth: { credentials: await accounts.credentials() } });
    await other.until('live');
  });

  it('that expire during use: the server ends the connection, and the reason is reported', async () => {
    const accounts = await makeNatsAccounts();
    await using server = await startNats({ configText: accounts.configText });
    const credentials = await accounts.credentials({ exp: inSeconds(8) });
    using listener = new Listener({ servers: server.url, auth: { credentials } });
    await listener.until('live');
    await listener.until('down');
    expect(listener.whys).toMatch(/expired.*credentials/i);
  });

  it('of an account that the server does not know yet: it retries until it does', async () => {
    const accounts = await makeNatsAccounts();
    await using server = await startNats({ configText: accounts.withoutAccount });
    using listener = new Listener({
      servers: server.url,
      auth: { credentials: await accounts.credentials() },
    });
    await listener.until('down');
    // The client gives up after two refusals; we do not.
    await eventually(() => expect(listener.statuses.length).toBeGreaterThan(4));
    await server.restart({ configText: accounts.configText });
    await listener.until('live');
  });

  it('that are none: a sentence', async () => {
    const accounts = await makeNatsAccounts();
    await using server = await startNats({ configText: accounts.configText });
    using listener = new Listener({ servers: server.url, auth: { credentials: 'no credentials at all' } });
    await listener.until('down');
    expect(listener.whys).toMatch(/Check the user, password, token, key or credentials/);
    expect(listener.whys).not.toContain('no credentials at all');
  });
});
