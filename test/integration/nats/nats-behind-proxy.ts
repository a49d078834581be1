import { expect } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.js';
import { startNats, type NatsServer } from '../../support/nats-server.js';
import { Listener } from './load-recorder.js';
import { Speaker } from './numbered-publisher.js';

export interface World {
  readonly server: NatsServer;
  readonly proxy: FaultProxy;
  readonly speaker: Speaker;
  readonly listener: Listener;
}

/** A server, a proxy in front of it, one who publishes past the proxy and one who listens through it. */
export async function inWorld(body: (world: World) => Promise<void>): Promise<void> {
  await using server = await startNats();
  await using proxy = await startFaultProxy({ to: server.port });
  await using speaker = await Speaker.connect(server.url);
  using listener = new Listener({ servers: `nats://127.0.0.1:${proxy.port}` });
  await listener.until('live');
  await speaker.say(2);
  await eventually(() => expect(listener.heard).toEqual([0, 1]));
  await body({ server, proxy, speaker, listener });
}

/** Everything that was published was heard, or lies in a gap that was reported as one over a detached interval. */
export async function nothingUnreported({ speaker, listener }: World): Promise<void> {
  await speaker.connected();
  await speaker.say();
  await eventually(() => expect(listener.heard.at(-1)).toBe(speaker.sent - 1));
  await eventually(() => {
    const gaps = listener.reports.flatMap((report) => report.gaps);
    const reported = gaps.flatMap(({ from, to }) =>
      Array.from({ length: to - from + 1 }, (_, n) => from + n),
    );
    const all = [...listener.heard, ...reported].sort((one, two) => one - two);
    expect(all).toEqual(Array.from({ length: speaker.sent }, (_, n) => n));
    expect(gaps.every(({ detached }) => detached)).toBe(true);
  });
}
