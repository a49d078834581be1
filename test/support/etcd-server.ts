import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EtcdGateway, type EtcdAccess } from './etcd-gateway.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { onFreePort } from './on-free-port.js';
import { ServerProcess } from './server-process.js';

export interface EtcdOptions {
  /** A free one if not given. */
  readonly port?: number;
  /** Paths of PEM files. The server's own certificate must be good for a client as well. */
  readonly tls?: {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    readonly clientCertAuth?: boolean;
  };
  /** The user with all permissions; all other access is refused. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** How long a login is good for when nothing is asked with it. */
  readonly authTokenTtlSeconds?: number;
}

/** An etcd of one member. Its data survive `kill` and `restart`, and are removed by `wipe` and `stop`. */
export class EtcdServer implements AsyncDisposable {
  readonly url: string;
  /** Asks and changes it past every client library. */
  readonly gateway: EtcdGateway;
  private readonly process = new ServerProcess('etcd');

  constructor(
    readonly port: number,
    private readonly peerPort: number,
    private readonly options: EtcdOptions,
  ) {
    const { tls, auth } = options;
    this.url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
    const access: EtcdAccess = { url: this.url, ...(tls && { tls }), ...(auth && { auth }) };
    this.gateway = new EtcdGateway(access);
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Where it keeps its files. */
  get folder(): string {
    return this.process.folder;
  }

  /** What the server wrote since it was last started. */
  get log(): string {
    return this.process.log;
  }

  /** Starts it with empty data. */
  async begin(): Promise<void> {
    await this.run(this.gateway.anonymous());
    if (this.options.auth) await this.gateway.enableAuth(this.options.auth);
  }

  /** Ends it at once and waits for its end. Nothing to end is fine. */
  kill(): Promise<void> {
    return this.process.kill();
  }

  /** Ends it, if it still runs, and starts it on the same port with the same data. */
  async restart(): Promise<void> {
    await this.kill();
    await this.run(this.gateway);
  }

  /** Like `restart`, but without the data: revisions start from the beginning. */
  async wipe(): Promise<void> {
    await this.kill();
    await rm(this.dataFolder, { recursive: true, force: true });
    await this.begin();
  }

  /** Stops it where it is, with all its connections, until `resume`. */
  pause(): Promise<void> {
    return this.process.pause();
  }

  resume(): void {
    this.process.resume();
  }

  stop(): Promise<void> {
    return this.process.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private get dataFolder(): string {
    return join(this.process.folder, 'data');
  }

  private async run(gateway: EtcdGateway): Promise<void> {
    await this.process.start(this.flags(), /serving client traffic/);
    await eventually(() => gateway.get('\0'));
  }

  private flags(): string[] {
    const { url, peerPort, options } = this;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const { tls, authTokenTtlSeconds: tokenTtl } = options;
    return [
      '--name=tidemark',
      `--data-dir=${this.dataFolder}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=tidemark=${peerUrl}`,
      '--logger=zap',
      '--log-outputs=stderr',
      // A test needs no protection against power failures, no election timeout for one member, and no strong hash.
      '--unsafe-no-fsync',
      '--heartbeat-interval=10',
      '--election-timeout=100',
      '--bcrypt-cost=4',
      ...(tokenTtl === undefined ? [] : [`--auth-token-ttl=${tokenTtl}`]),
      ...(tls ? [`--cert-file=${tls.cert}`, `--key-file=${tls.key}`] : []),
      // An authority alone would do: etcd demands certificates as soon as it can check them.
      ...(tls?.clientCertAuth === true ? ['--client-cert-auth', `--trusted-ca-file=${tls.ca}`] : []),
    ];
  }
}

/** Starts an etcd on the loopback interface and waits until it answers. */
export function startEtcd(options: EtcdOptions = {}): Promise<EtcdServer> {
  return onFreePort(async (port) => {
    const server = new EtcdServer(options.port ?? port, await freePort(), options);
    try {
      await server.begin();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  });
}
