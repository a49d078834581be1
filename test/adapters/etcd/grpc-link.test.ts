import { EventEmitter } from 'node:events';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { EtcdClient } from '../../../src/adapters/etcd/etcd-client.js';
import { EtcdError } from '../../../src/adapters/etcd/etcd-error.js';
import { GrpcLink } from '../../../src/adapters/etcd/grpc-link.js';

/** Plays the answers of a server to one watch, and then 10 s without an answer. */
async function play(...answers: readonly object[]): Promise<string[]> {
  const stream = Object.assign(new EventEmitter(), { write: () => true, cancel: () => undefined });
  const client = { url: 'http://fake:2379', watch: { watch: () => Promise.resolve(stream) } };
  const scheduler = new VirtualTimeScheduler(undefined, 10_000);
  const said: string[] = [];
  const link = new GrpcLink(client as unknown as EtcdClient, 'fleet/', scheduler);
  const subscription = link.watch('v1/', 5n).subscribe({
    next: ({ kind }) => said.push(kind),
    error: (error: unknown) =>
      said.push(error instanceof EtcdError ? `${error.code}: ${error.message}` : 'other'),
  });
  await Promise.resolve();
  const nothing = { created: false, canceled: false, compact_revision: '0', cancel_reason: '', events: [] };
  for (const answer of answers) stream.emit('data', { ...nothing, ...answer });
  scheduler.flush();
  subscription.unsubscribe();
  return said;
}

describe('a watch of GrpcLink', () => {
  it('errors if the server does not create it in time', async () => {
    expect(await play()).toEqual([
      'etcd-silent: etcd at http://fake:2379, watching fleet/v1/: no answer: timed out after 5000 ms. ' +
        'Check the network, and whether the server is overloaded or stopped.',
    ]);
  });

  it('may be silent once it is created', async () => {
    expect(await play({ created: true })).toEqual(['created']);
  });

  it('is not created if the same answer cancels it', async () => {
    const [error, ...others] = await play({
      created: true,
      canceled: true,
      cancel_reason: 'rpc error: code = PermissionDenied desc = etcdserver: permission denied',
    });
    expect(error).toMatch(
      /^etcd-permission: etcd at http:\/\/fake:2379, watching fleet\/v1\/: .*permission denied/,
    );
    expect(others).toEqual([]);
  });

  it('is created and then canceled, because its history was compacted or the server lost its leader', async () => {
    expect(await play({ created: true }, { canceled: true, compact_revision: '9' })).toEqual([
      'created',
      'compacted',
    ]);
    const [, error] = await play(
      { created: true },
      { canceled: true, cancel_reason: 'etcdserver: no leader' },
    );
    expect(error).toMatch(/^etcd-failed: .*watching fleet\/v1\/: etcdserver: no leader/);
  });
});
