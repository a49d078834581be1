import type { WatchPrefixOptions } from '../../../src/adapters/etcd/watch-prefix.js';
import { startEtcd, type EtcdOptions, type EtcdServer } from '../../support/etcd-server.js';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.js';
import { sharedEtcd } from '../../support/shared-servers.js';
import { PrefixRecorder } from './prefix-recorder.js';
import { EtcdWriter } from './etcd-writer.js';

/** An etcd, a faulty network in front of it, and a writer that bypasses it. */
export class EtcdBehindProxy implements AsyncDisposable {
  readonly writer: EtcdWriter;

  constructor(
    readonly server: EtcdServer,
    readonly proxy: FaultProxy,
    private readonly isShared = false,
  ) {
    this.writer = new EtcdWriter(server.gateway);
  }

  /** The address of etcd through the network. */
  get hosts(): string {
    return this.server.url.replace(/\d+$/, String(this.proxy.port));
  }

  record(options: Partial<WatchPrefixOptions> = {}): PrefixRecorder {
    return new PrefixRecorder({ hosts: this.hosts, prefixes: 'v1/', ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.stop();
    if (!this.isShared) await this.server.stop();
  }
}

export async function startEtcdBehindProxy(options?: EtcdOptions): Promise<EtcdBehindProxy> {
  const server = await startEtcd(options);
  return new EtcdBehindProxy(server, await startFaultProxy({ to: server.port }));
}

/**
 * A setup with the etcd that the tests of a file share, which is empty at first. It is for tests that run one after
 * another and do not change the server itself.
 */
export async function sharedEtcdBehindProxy(): Promise<EtcdBehindProxy> {
  const server = await sharedEtcd();
  await server.gateway.deletePrefix('');
  return new EtcdBehindProxy(server, await startFaultProxy({ to: server.port }), true);
}
