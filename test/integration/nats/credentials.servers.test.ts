import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { makeNatsAccounts } from '../../support/nats-accounts.js';
import { startNats } from '../../support/nats-server.js';
import { LoadRecorder } from './load-recorder.js';

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;

describeWith('nats-server', 'receiveLoads over NATS with credentials that an account signed', () => {
  it('are accepted; those of another account are refused, and no secret is shown', async () => {
    const [accounts, others] = await Promise.all([makeNatsAccounts(), makeNatsAccounts()]);
    await using server = await startNats({ configText: accounts.configText });
    using recorder = new LoadRecorder({
      servers: server.url,
      auth: { credentials: await accounts.credentials() },
    });
    await recorder.until('live');
    const credentials = await others.credentials();
    using stranger = new LoadRecorder({ servers: server.url, auth: { credentials } });
    await stranger.until('down');
    expect(stranger.reasons).toMatch(/Authorization Violation.*credentials/i);
    for (const line of credentials.split('\n').filter((text) => /^\w{20}/.test(text)))
      expect(stranger.reasons).not.toContain(line);
  });

  it('that have expired are refused, with what to check', async () => {
    const accounts = await makeNatsAccounts();
    await using server = await startNats({ configText: accounts.configText });
    const credentials = await accounts.credentials({ exp: inSeconds(-5) });
    using recorder = new LoadRecorder({ servers: server.url, auth: { credentials } });
    await recorder.until('down');
    expect(recorder.reasons).toMatch(
      /Authorization Violation.*credentials: they may be wrong, expired, or missing/i,
    );
    expect(recorder.state).toBe('down');
    using other = new LoadRecorder({
      servers: server.url,
      auth: { credentials: await accounts.credentials() },
    });
    await other.until('live');
  });

  it('that expire during use: the server ends the connection, and the reason is reported', async () => {
    const accounts = await makeNatsAccounts();
    await using server = await startNats({ configText: accounts.configText });
    const credentials = await accounts.credentials({ exp: inSeconds(8) });
    using recorder = new LoadRecorder({ servers: server.url, auth: { credentials } });
    await recorder.until('live');
    await recorder.until('down');
    expect(recorder.reasons).toMatch(/expired.*credentials/i);
  });

  it('of an account that the server does not know yet: it retries until it does', async () => {
    const accounts = await makeNatsAccounts();
    await using server = await startNats({ configText: accounts.withoutAccount });
    using recorder = new LoadRecorder({
      servers: server.url,
      auth: { credentials: await accounts.credentials() },
    });
    await recorder.until('down');
    // The client gives up after two refusals; tidemark does not.
    await eventually(() => expect(recorder.statuses.length).toBeGreaterThan(4));
    await server.restart({ configText: accounts.configText });
    await recorder.until('live');
  });

  it('that are invalid: reported with the reason', async () => {
    const accounts = await makeNatsAccounts();
    await using server = await startNats({ configText: accounts.configText });
    using recorder = new LoadRecorder({
      servers: server.url,
      auth: { credentials: 'no credentials at all' },
    });
    await recorder.until('down');
    expect(recorder.reasons).toMatch(/Check the user, password, token, key or credentials/);
    expect(recorder.reasons).not.toContain('no credentials at all');
  });
});
