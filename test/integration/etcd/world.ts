import type { WatchPrefixOptions } from '../../../src/adapters/etcd/watch-prefix.js';
import { startEtcd, type EtcdOptions, type EtcdServer } from '../../support/etcd-server.js';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.js';
import { Follower } from './follower.js';
import { Truth } from './truth.js';

/** An etcd, a faulty network in front of it, and a writer that bypasses it. */
export class World implements AsyncDisposable {
  readonly truth: Truth;

  constructor(
    readonly server: EtcdServer,
    readonly proxy: FaultProxy,
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
    await this.server.stop();
  }
}

export async function startWorld(options?: EtcdOptions): Promise<World> {
  const server = await startEtcd(options);
  return new World(server, await startFaultProxy({ to: server.port }));
}
