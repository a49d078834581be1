import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { startNats } from '../../support/nats-server.js';
import { sharedNats } from '../../support/shared-servers.js';
import { LoadRecorder } from './load-recorder.js';
import { NumberedPublisher, SUBJECT } from './numbered-publisher.js';

describeWith('nats-server', 'receiveLoads over NATS and bad input', () => {
  it('a closed port, and an unknown host name', async () => {
    const port = await freePort();
    using closed = new LoadRecorder({ servers: `nats://127.0.0.1:${port}` });
    using nowhere = new LoadRecorder({ servers: 'nats://no-such-host.invalid:4222' });
    await closed.until('down');
    await nowhere.until('down');
    expect(closed.reasons).toContain('Check that the server runs and listens at this address.');
    expect(nowhere.reasons).toContain('no-such-host.invalid');
  });

  it('a port with another server', async () => {
    const page = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
    await new Promise((resolve) => page.once('listening', resolve));
    const { port } = page.address() as AddressInfo;
    using recorder = new LoadRecorder({ servers: `nats://127.0.0.1:${port}` });
    await recorder.until('down');
    // An HTTP server waits for a request; a server that sends first is detected by its bytes.
    expect(recorder.reasons).toMatch(/does not answer|no NATS server/);
    page.close();
  });

  it('several servers: the one that runs is found', async () => {
    const server = await sharedNats();
    const dead = await freePort();
    using recorder = new LoadRecorder({ servers: [`nats://127.0.0.1:${dead}`, server.url] });
    await recorder.until('live');
  });

  it('invalid messages and very large ones are counted and ignored', async () => {
    await using server = await startNats({ configText: 'max_payload: 9000000' });
    await using publisher = await NumberedPublisher.connect(server.url);
    using recorder = new LoadRecorder({ servers: server.url });
    await recorder.until('live');
    publisher.connection.publish(SUBJECT, new Uint8Array(8_000_000));
    publisher.connection.publish(SUBJECT, new Uint8Array(0));
    publisher.connection.publish(SUBJECT, Uint8Array.of(0xc1, 0xff));
    await publisher.publish();
    await eventually(() => expect(recorder.received).toEqual([0]));
    await eventually(() =>
      expect(recorder.reports.at(-1)?.account).toMatchObject({ messages: 4, loads: 1, failed: 3 }),
    );
    expect(recorder.problems.join('\n')).toContain(SUBJECT);
  });
});
