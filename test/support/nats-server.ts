import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onFreePort } from './on-free-port.js';
import { ServerProcess } from './server-process.js';

export interface NatsOptions {
  /** A free one if not given. */
  readonly port?: number;
  /** Paths of PEM files; `verify` demands certificates of the clients. */
  readonly tls?: {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    readonly verify?: boolean;
  };
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly jetstream?: boolean;
  /** More lines for the configuration file: accounts, permissions, keys, limits. */
  readonly configText?: string;
}

/** A NATS server. */
export class NatsServer implements AsyncDisposable {
  readonly url: string;
  private readonly process = new ServerProcess('nats-server');

  constructor(
    readonly port: number,
    private options: NatsOptions,
  ) {
    this.url = `nats://127.0.0.1:${port}`;
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

  /** Ends it at once and waits for its end. Nothing to end is fine. */
  kill(): Promise<void> {
    return this.process.kill();
  }

  /** Ends it, if it still runs, and starts it on the same port, from now on with these options if there are any. */
  async restart(options: Omit<NatsOptions, 'port'> = this.options): Promise<void> {
    await this.kill();
    this.options = options;
    const { folder } = this.process;
    const path = join(folder, 'nats.conf');
    await writeFile(path, configText(this.port, folder, options));
    await this.process.start(['-c', path], /Server is ready/);
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
}

/** Starts a NATS server on the loopback interface and waits until it is ready. */
export function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  return onFreePort(async (port) => {
    const server = new NatsServer(options.port ?? port, options);
    try {
      await server.restart();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  });
}

function configText(port: number, folder: string, options: NatsOptions): string {
  const { tls, user, password, token, jetstream } = options;
  const login = Object.entries({ user, password, token }).filter(([, value]) => value !== undefined);
  return [
    'host: "127.0.0.1"',
    `port: ${port}`,
    ...(tls
      ? [
          'tls {',
          `  ca_file: ${JSON.stringify(tls.ca)}`,
          `  cert_file: ${JSON.stringify(tls.cert)}`,
          `  key_file: ${JSON.stringify(tls.key)}`,
          `  verify: ${tls.verify ?? false}`,
          '}',
        ]
      : []),
    ...(login.length > 0
      ? ['authorization {', ...login.map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`), '}']
      : []),
    ...(jetstream === true ? [`jetstream { store_dir: ${JSON.stringify(join(folder, 'jetstream'))} }`] : []),
    options.configText ?? '',
    '',
  ].join('\n');
}
