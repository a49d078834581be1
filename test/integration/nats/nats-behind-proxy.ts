import { expect } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.js';
import { startNats, type NatsServer } from '../../support/nats-server.js';
import { LoadRecorder } from './load-recorder.js';
import { NumberedPublisher } from './numbered-publisher.js';

export interface NatsBehindProxy {
  readonly server: NatsServer;
  readonly proxy: FaultProxy;
  readonly publisher: NumberedPublisher;
  readonly recorder: LoadRecorder;
}

/** A server, a proxy in front of it, a publisher that bypasses the proxy and a recorder that uses it. */
export async function withNatsBehindProxy(body: (setup: NatsBehindProxy) => Promise<void>): Promise<void> {
  await using server = await startNats();
  await using proxy = await startFaultProxy({ to: server.port });
  await using publisher = await NumberedPublisher.connect(server.url);
  using recorder = new LoadRecorder({ servers: `nats://127.0.0.1:${proxy.port}` });
  await recorder.until('live');
  await publisher.publish(2);
  await eventually(() => expect(recorder.received).toEqual([0, 1]));
  await body({ server, proxy, publisher: publisher, recorder: recorder });
}

/** Expects that every published message was received, or is in a reported gap over a detached interval. */
export async function expectLossesReported({
  publisher: publisher,
  recorder: recorder,
}: NatsBehindProxy): Promise<void> {
  await publisher.connected();
  await publisher.publish();
  await eventually(() => expect(recorder.received.at(-1)).toBe(publisher.sent - 1));
  await eventually(() => {
    const gaps = recorder.reports.flatMap((report) => report.gaps);
    const reported = gaps.flatMap(({ from, to }) =>
      Array.from({ length: to - from + 1 }, (_, n) => from + n),
    );
    const all = [...recorder.received, ...reported].sort((one, two) => one - two);
    expect(all).toEqual(Array.from({ length: publisher.sent }, (_, n) => n));
    expect(gaps.every(({ detached }) => detached)).toBe(true);
  });
}
