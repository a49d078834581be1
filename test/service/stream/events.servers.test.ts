import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EventLog } from '../../../src/service/stream/event-readers.js';
import { EventStream } from '../../support/event-stream.js';
import { eventually } from '../../support/eventually.js';
import { httpCall } from '../../support/http-call.js';
import { ServedFleet } from '../../support/served-fleet.js';

const POOL = { model: 'tiny-model', role: 'decode', endpoint: 'dynamo.backend.generate' };
const thresholds = { activeDecodeBlocksThreshold: 0.5 };
let fleet: ServedFleet;
afterEach(() => fleet.service.stop());

/** A fleet of one worker with a threshold of half its blocks. */
async function oneWorker(options: Parameters<typeof ServedFleet.start>[0] = {}): Promise<ServedFleet> {
  fleet = await ServedFleet.start(options);
  await fleet.worker('7');
  for (const pool of fleet.pools.list()) pool.setThresholds(thresholds);
  return fleet;
}

const url = (): string => `${fleet.url}/events`;

describe('events', () => {
  it('a snapshot first, then changes', async () => {
    await oneWorker();
    using stream = await EventStream.open(url());
    expect(await stream.first('snapshot')).toMatchObject({
      pools: [
        {
          ...POOL,
          state: 'unknown',
          busy: [],
          thresholds: { ...thresholds, activePrefillTokensThreshold: null },
        },
      ],
      sources: [
        { source: 'loads', state: 'live' },
        { source: 'discovery', state: 'live' },
      ],
    });
    fleet.load('7', 51);
    expect(await stream.first('transition')).toMatchObject({
      ...POOL,
      workerId: '7',
      from: 'unknown',
      to: 'busy',
      busy: true,
      reason: 'load',
      text: 'worker 7 is busy: rank 0 used KV blocks 51 > 50 (1 of 1 ranks busy, 1 needed)',
      at: expect.stringMatching(/^2\d{3}-.*Z$/) as string,
    });
    expect(await stream.first('fleet')).toMatchObject({ ...POOL, state: 'all-busy', retryAfterSeconds: 1 });
    for (const pool of fleet.pools.list())
      pool.setThresholds({ activePrefillTokensThreshold: 18446744073709551615n });
    expect(await stream.first('thresholds')).toMatchObject({
      ...POOL,
      thresholds: { ...thresholds, activePrefillTokensThreshold: '18446744073709551615' },
    });
    fleet.speak('down', 'no route');
    expect(await stream.first('source')).toMatchObject({
      source: 'discovery',
      state: 'down',
      why: 'no route',
    });
    await fleet.worker('8', 'other');
    expect(await stream.first('pool')).toMatchObject({ model: 'other', state: 'unknown', busy: [] });
    await fleet.worker('7', null);
    expect(await stream.first('pool-gone')).toEqual(POOL);
    expect(stream.of('transition').at(-1)).toMatchObject({
      workerId: '7',
      from: 'busy',
      to: 'unknown',
      reason: 'left',
    });
    const afterwards = stream.events.slice(stream.events.findIndex(({ type }) => type === 'pool-gone') + 1);
    expect(afterwards.filter(({ type }) => type !== 'model')).toEqual([]);
    await eventually(() =>
      // The state before is in the snapshot.
      expect(
        stream
          .of('model')
          .filter(({ model }) => model === POOL.model)
          .slice(-2),
      ).toMatchObject([{ state: 'all-busy' }, { state: 'none' }]),
    );
  });

  it('a snapshot with the following changes gives the state of /busy', async () => {
    await oneWorker();
    using stream = await EventStream.open(url());
    const busy = new Set<unknown>();
    for (const [id, blocks] of [
      ['7', 60],
      ['8', 70],
      ['7', 10],
      ['9', 99],
      ['9', null],
    ] as const) {
      if (id !== '7') await fleet.worker(id, blocks === null ? null : POOL.model);
      if (blocks !== null) fleet.load(id, blocks);
    }
    fleet.speak('stale');
    await stream.first('source');
    for (const { workerId, busy: isBusy } of stream.of('transition'))
      if (isBusy === true) busy.add(workerId);
      else busy.delete(workerId);
    const answer = JSON.parse((await httpCall(`${fleet.url}/busy`)).body) as { pools: [{ busy: string[] }] };
    expect([...busy]).toEqual(['8']);
    expect(answer.pools[0].busy).toEqual(['8']);
  });

  it('Last-Event-ID resumes after that event, without duplicates or omissions', async () => {
    await oneWorker();
    const first = await EventStream.open(url());
    fleet.load('7', 51);
    await first.first('fleet');
    first[Symbol.dispose]();
    fleet.load('7', 10);
    fleet.load('7', 90);
    using again = await EventStream.open(url(), first.events.at(-1)?.id);
    fleet.speak('stale');
    await again.first('source');
    expect(again.of('snapshot')).toEqual([]);
    expect(again.of('transition').map(({ busy }) => busy)).toEqual([false, true]);
    const numbers = again.events.map(({ id }) => Number(id.split('-')[1]));
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    expect(numbers[0]).toBe(Number(first.events.at(-1)?.id.split('-')[1]) + 1);
  });

  it.each(['', 'x', '0', 'f00000000000-1', '-1'])(
    'an unknown Last-Event-ID %s gives a snapshot',
    async (id) => {
      await oneWorker();
      using stream = await EventStream.open(url(), id);
      expect(await stream.first('snapshot')).toHaveProperty('pools');
    },
  );

  it('the Last-Event-ID of an event that is no longer kept gives a snapshot', async () => {
    await oneWorker({ keptEvents: 3 });
    const first = await EventStream.open(url());
    await first.first('snapshot');
    first[Symbol.dispose]();
    for (const blocks of [60, 10, 60]) fleet.load('7', blocks);
    using again = await EventStream.open(url(), first.events[0]?.id);
    expect(await again.first('snapshot')).toMatchObject({ pools: [{ state: 'all-busy', busy: ['7'] }] });
  });

  it('a reader that keeps reading misses no event of a burst above its buffer limit', async () => {
    await oneWorker({ maxBufferedBytes: 10_000 });
    using stream = await EventStream.open(url());
    await stream.first('snapshot');
    for (let round = 0; round < 400; round += 1) fleet.load('7', round % 2 === 0 ? 60 : 10);
    await eventually(() => stream.of('transition').length === 400);
    expect(stream.of('transition').map(({ busy }) => busy)).toEqual(
      Array.from({ length: 400 }, (_, index) => index % 2 === 0),
    );
  });

  it('a burst above the number of kept events gives a snapshot, then later events', async () => {
    await oneWorker({ maxBufferedBytes: 10_000, keptEvents: 10 });
    using stream = await EventStream.open(url());
    await stream.first('snapshot');
    for (let round = 0; round < 401; round += 1) fleet.load('7', round % 2 === 0 ? 60 : 10);
    await eventually(() => stream.of('snapshot').length === 2);
    expect(stream.of('snapshot')[1]).toMatchObject({ pools: [{ state: 'all-busy', busy: ['7'] }] });
    fleet.speak('stale');
    await stream.first('source');
    expect(stream.of('transition').length).toBeLessThan(401);
  });

  it('a reader that does not read is disconnected, and the others continue', async () => {
    await oneWorker({ maxBufferedBytes: 10_000, maxBehindMs: 1_000 });
    const slow = await EventStream.open(url());
    using quick = await EventStream.open(url());
    await slow.first('snapshot');
    slow.stall();
    const health = async () => JSON.parse((await httpCall(`${fleet.url}/healthz`)).body) as object;
    let transitions = 0;
    await eventually(async () => {
      // Repeated until the buffers of the system are full. Each time the quick reader receives everything first.
      for (let round = 0; round < 200; round += 1) fleet.load('7', round % 2 === 0 ? 60 : 10);
      transitions += 200;
      await eventually(() => quick.of('transition').length === transitions);
      expect(await health()).toMatchObject({ eventReaders: 1, readersCut: 1 });
    });
    expect(quick.ended).toBe(false);
    slow[Symbol.dispose]();
  });

  it('10 000 idle readers: the allowed number is accepted, the others get the reason, and other requests are answered', async () => {
    await oneWorker({ maxReaders: 50 });
    const { port } = fleet.service;
    const answers: string[] = [];
    const sockets: Socket[] = [];
    const MANY = 10_000;
    // In batches, because the queue of pending connections is limited.
    for (let done = 0; done < MANY; done += 500) {
      await Promise.all(
        Array.from({ length: 500 }, () => {
          const socket = connect(port, '127.0.0.1');
          sockets.push(socket);
          return new Promise<void>((resolve, reject) => {
            socket.once('data', (data) => {
              answers.push(data.toString());
              if (!data.toString().startsWith('HTTP/1.1 200')) socket.destroy();
              resolve();
            });
            socket.on('error', reject);
            socket.write('GET /events HTTP/1.1\r\nhost: x\r\n\r\n');
          });
        }),
      );
    }
    const refused = answers.filter((answer) => answer.startsWith('HTTP/1.1 503'));
    expect(refused).toHaveLength(MANY - 50);
    expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 200'))).toHaveLength(50);
    expect(refused[0]).toMatch(/retry-after: 5\r\n/i);
    expect(refused[0]).toMatch(
      /\{"code":"too-many-readers","message":"The limit of 50 event streams is reached; .*"\}/,
    );
    expect((await httpCall(`${fleet.url}/busy`)).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    const health = async () => JSON.parse((await httpCall(`${fleet.url}/healthz`)).body) as object;
    await eventually(async () => expect(await health()).toMatchObject({ eventReaders: 0 }));
  });

  it('HEAD does not open a stream', async () => {
    await oneWorker();
    expect(await httpCall(url(), { method: 'HEAD' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET' },
    });
  });
});

describe('EventLog', () => {
  it('keeps the newest events, and returns those after a given one', async () => {
    fleet = await ServedFleet.start();
    const log = new EventLog(2);
    const ids = [1, 2, 3].map((n) => /id: (\S+)/.exec(log.append('x', { n }))?.[1]);
    const after = (id: string | undefined) => log.after(log.parseId(id));
    expect([...(after(ids[0]) ?? '').matchAll(/"n":(\d)/g)].map(([, n]) => n)).toEqual(['2', '3']);
    expect(after(ids[2])).toBe('');
    expect(after(ids[0]?.replace(/-1$/, '-0'))).toBeNull();
    expect(after(ids[0]?.replace(/-1$/, '-4'))).toBeNull();
    expect(new EventLog(2).parseId(ids[0])).toBeNull();
  });
});
