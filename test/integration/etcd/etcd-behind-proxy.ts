import type { WatchPrefixOptions } from '../../../src/adapters/etcd/watch-prefix.js';
import { startEtcd, type EtcdOptions, type EtcdServer } from '../../support/etcd-server.js';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.js';
import { sharedEtcd } from '../../support/shared-servers.js';
import { Follower } from './prefix-recorder.js';
import { Truth } from './etcd-writer.js';

/** An etcd, a faulty network in front of it, and a writer that bypasses it. */
export class World implements AsyncDisposable {
  readonly truth: Truth;

  constructor(
    readonly server: EtcdServer,
    readonly proxy: FaultProxy,
    private readonly isShared = false,
  ) {
    this.truth = new Truth(server.gateway);
  }

  /** The address of etcd through the network. */
  get hosts(): string {
    return this.server.url.replace(/\d+$/, String(this.proxy.port));
  }

  follow(options: Partial<WatchPrefixOptions> = {}): Follower {
    return new Follower({ hosts: this.hosts, prefixes: 'v1/', ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.stop();
    if (!this.isShared) await this.server.stop();
  }
}

export async function startWorld(options?: EtcdOptions): Promise<World> {
  const server = await startEtcd(options);
  return new World(server, await startFaultProxy({ to: server.port }));
}

/**
 * A world over the etcd that the tests of a file share, which holds no keys at first. It is for tests that run one after
 * the other and do nothing to the server itself.
 */
export async function sharedWorld(): Promise<World> {
  const server = await sharedEtcd();
  await server.gateway.deletePrefix('');
  return new World(server, await startFaultProxy({ to: server.port }), true);
}
