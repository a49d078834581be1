import { from, lastValueFrom, NEVER, Subject, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import type { PublisherStatus } from '../../../src/adapters/nats/nats-publisher.js';
import type { ActiveLoad } from '../../../src/core/events/fleet-event.js';
import { policies } from '../../../src/core/policy/policies.js';
import { encodeActiveLoad } from '../../../src/wire/loads/load-encoder.js';
import { decodeEnvelope } from '../../support/decode-envelope.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import { startNats } from '../../support/nats-server.js';
import { sharedNats } from '../../support/shared-servers.js';
import { load, publishLoads } from './published-load.js';
import { NumberedPublisher } from './numbered-publisher.js';

/** Everything that is published, received without tidemark. */
async function inWorld(
  body: (url: string, heard: { subject: string; data: Uint8Array }[]) => Promise<void>,
): Promise<void> {
  const server = await sharedNats();
  await using ear = await NumberedPublisher.connect(server.url);
  const heard: { subject: string; data: Uint8Array }[] = [];
  ear.connection.subscribe('>', {
    callback: (_, { subject, data }) => heard.push({ subject, data: data.slice() }),
  });
  await ear.connection.flush();
  await body(server.url, heard);
}

describeWith('nats-server', 'natsPublisher', () => {
  it.each([
    ['1.0', 'namespace.dynamo.kv_metrics', 4],
    ['1.6', 'namespace.dynamo.component.backend.endpoint.generate.kv_metrics', 5],
  ] as const)('%s: on its subject, in its bytes, numbered from 0', async (release, subject, fields) => {
    await inWorld(async (servers, heard) => {
      const options = { as: 'worker', release, publisherId: '123' } as const;
      const statuses = await lastValueFrom(
        from([load(0, 5)]).pipe(publishLoads({ servers }, options), toArray()),
      );
      await eventually(() => expect(heard).toHaveLength(1));
      const [first] = heard;
      expect(first?.subject).toBe(subject);
      const envelope = decodeEnvelope(first?.data ?? new Uint8Array(0), policies.default);
      expect(envelope).toMatchObject({ publisherId: '123', sequence: 0, topic: 'kv_metrics' });
      const payload = 'payload' in envelope ? Buffer.from(envelope.payload) : null;
      expect(payload?.equals(encodeActiveLoad(load(0, 5), fields))).toBe(true);
      expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'live', 'ended']);
      expect(statuses.at(-1)).toMatchObject({ published: 1, dropped: 0 });
    });
  });

  it('a router publishes every value at once', async () => {
    await inWorld(async (servers, heard) => {
      const options = { as: 'router', release: '1.0', publisherId: '5' } as const;
      await lastValueFrom(
        from([load(0, 5), load(0, 5), load(1, 6)]).pipe(publishLoads({ servers }, options), toArray()),
      );
      await eventually(() => expect(heard).toHaveLength(3));
      expect(heard.map(({ data }) => decodeEnvelope(data, policies.default))).toMatchObject([
        { sequence: 0 },
        { sequence: 1 },
        { sequence: 2 },
      ]);
    });
  });

  it('without a connection loads are dropped and counted, and numbers are used for them', async () => {
    await using server = await startNats();
    const loads$ = new Subject<ActiveLoad>();
    const statuses: PublisherStatus[] = [];
    const options = { as: 'router', release: '1.0', publisherId: '5' } as const;
    const publishing = loads$
      .pipe(publishLoads({ servers: server.url }, options))
      .subscribe((status) => statuses.push(status));
    await eventually(() => expect(statuses.at(-1)?.state).toBe('live'));
    loads$.next(load(0, 1));
    await server.kill();
    await eventually(() => expect(statuses.at(-1)?.state).toBe('down'));
    loads$.next(load(0, 2));
    await server.restart();
    await eventually(() =>
      expect(statuses.at(-1)).toMatchObject({ state: 'live', published: 1, dropped: 1 }),
    );
    publishing.unsubscribe();
  });

  it('the loads complete on a connection that is silent and then lost: it completes too', async () => {
    await using server = await startNats();
    const loads$ = new Subject<ActiveLoad>();
    const statuses: PublisherStatus[] = [];
    const options = { as: 'router', release: '1.6', publisherId: '5' } as const;
    let completed = false;
    loads$.pipe(publishLoads({ servers: server.url }, options)).subscribe({
      next: (status) => statuses.push(status),
      complete: () => (completed = true),
    });
    await eventually(() => expect(statuses.at(-1)?.state).toBe('live'));
    await server.pause();
    loads$.next(load(0, 1));
    loads$.complete();
    expect(completed).toBe(false);
    await server.kill();
    await eventually(() => expect(completed).toBe(true));
    expect(statuses.at(-1)).toMatchObject({ state: 'ended', published: 1 });
  });

  it('unsubscribing stops it', async () => {
    const server = await sharedNats();
    await using proxy = await startFaultProxy({ to: server.port });
    const servers = `nats://127.0.0.1:${proxy.port}`;
    const statuses: string[] = [];
    const options = { as: 'worker', release: '1.6', publisherId: '5' } as const;
    const publishing = NEVER.pipe(publishLoads({ servers }, options)).subscribe(({ state }) =>
      statuses.push(state),
    );
    await eventually(() => expect(statuses).toContain('live'));
    expect(proxy.connections).toBe(1);
    publishing.unsubscribe();
    await eventually(() => expect(proxy.connections).toBe(0));
  });
});
