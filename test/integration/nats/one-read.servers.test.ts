import type { Socket } from 'node:net';
import { connect as connectThree } from '@nats-io/transport-node';
import { connect as connectTwo } from 'nats';
import { expect, it } from 'vitest';
import type { NatsLink } from '../../../src/adapters/nats/nats-link.js';
import { natsMessages } from '../../../src/adapters/nats/nats-messages.js';
import { receiveLoads } from '../../../src/dynamo/loads/receive-loads.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { ownName, sharedNats } from '../../support/shared-servers.js';
import { NumberedPublisher } from './numbered-publisher.js';

const LOADS = 3_000;
const numbers = Array.from({ length: LOADS }, (_, n) => n);

const clients: readonly [string, (servers: string) => Promise<NatsLink & { close(): Promise<void> }>][] = [
  ['nats 2', (servers) => connectTwo({ servers })],
  ['@nats-io/transport-node 3', (servers) => connectThree({ servers })],
];

/** The reads of the socket of a client. Neither client offers its socket. */
function countReads(connection: NatsLink): { readonly count: number } {
  const reads = { count: 0 };
  const { socket } = (connection as unknown as { protocol: { transport: { socket: Socket } } }).protocol
    .transport;
  socket.on('data', () => (reads.count += 1));
  return reads;
}

describeWith('nats-server', 'receiveLoads over NATS: what one read of the socket brings', () => {
  it.each(clients)('%s: columns are one batch for each read', async (_, connect) => {
    const { url } = await sharedNats();
    await using publisher = await NumberedPublisher.connect(url);
    const connection = await connect(url);
    const namespace = ownName('columns');
    const { loads$, status$ } = receiveLoads(natsMessages({ connection }), { namespace, form: 'columns' });
    const batches: number[][] = [];
    const readOf: number[] = [];
    let reads: { readonly count: number } = { count: 0 };
    const run = loads$.subscribe(({ kvUsedBlocks }) => {
      batches.push([...kvUsedBlocks]);
      readOf.push(reads.count);
    });
    const states: string[] = [];
    run.add(status$.subscribe(({ state }) => states.push(state)));
    await eventually(() => states.at(-1) === 'live');
    reads = countReads(connection);
    await publisher.publish(LOADS, subjectIn(namespace));
    await eventually(() => batches.flat().length === LOADS);
    expect(batches.flat()).toEqual(numbers);
    // No two batches are of the same read.
    expect(new Set(readOf).size).toBe(batches.length);
    expect(batches.length).toBeLessThan(LOADS / 10);
    run.unsubscribe();
    await connection.close();
  });

  it.each(clients)('%s: objects are emitted in one turn for each read, in order', async (_, connect) => {
    const { url } = await sharedNats();
    await using publisher = await NumberedPublisher.connect(url);
    const connection = await connect(url);
    const namespace = ownName('objects');
    const { loads$, status$ } = receiveLoads(natsMessages({ connection }), { namespace });
    const received: number[] = [];
    const turnsOfReads = new Map<number, Set<number>>();
    let reads: { readonly count: number } = { count: 0 };
    let turn = 0;
    let isTurnOpen = false;
    const run = loads$.subscribe(({ kvUsedBlocks }) => {
      received.push(Number(kvUsedBlocks));
      turnsOfReads.set(reads.count, (turnsOfReads.get(reads.count) ?? new Set()).add(turn));
      if (isTurnOpen) return;
      isTurnOpen = true;
      setImmediate(() => {
        isTurnOpen = false;
        turn += 1;
      });
    });
    const states: string[] = [];
    run.add(status$.subscribe(({ state }) => states.push(state)));
    await eventually(() => states.at(-1) === 'live');
    reads = countReads(connection);
    await publisher.publish(LOADS, subjectIn(namespace));
    await eventually(() => received.length === LOADS);
    expect(received).toEqual(numbers);
    expect([...turnsOfReads.values()].filter((turns) => turns.size > 1)).toEqual([]);
    expect(turnsOfReads.size).toBeLessThan(LOADS / 10);
    run.unsubscribe();
    await connection.close();
  });
});

function subjectIn(namespace: string): string {
  return `namespace.${namespace}.component.backend.endpoint.generate.kv_metrics`;
}
