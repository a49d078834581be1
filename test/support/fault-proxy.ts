import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultLink, type Direction, type LinkFaults } from './fault-link.js';
import { onFreePort } from './on-free-port.js';
import { socketClosed } from './socket-closed.js';

/** A TCP proxy on the loopback interface in front of a server, which does what networks do. */
export class FaultProxy implements AsyncDisposable {
  private readonly links = new Set<FaultLink>();
  private readonly held = new Set<Socket>();
  private readonly shut = new Set<Direction>();
  private listener: Server | undefined;
  private delayMs = 0;
  private holding = false;
  private count = 0;

  constructor(
    readonly port: number,
    private readonly to: number,
  ) {}

  /** How many connections of clients are open now, as far as the proxy has noticed; held ones included. */
  get connections(): number {
    return [...this.links].filter((link) => link.clientIsOpen).length + this.held.size;
  }

  /** How many connections it has accepted so far. */
  get accepted(): number {
    return this.count;
  }

  /** Resets all connections, on both sides. */
  cut(): void {
    for (const link of this.links) link.cut();
    for (const client of this.held) client.resetAndDestroy();
  }

  /** Ends all connections in an orderly way, on both sides; each one closes when its client has ended it as well. */
  finish(): void {
    for (const link of this.links) link.finish();
    for (const client of this.held) client.end();
  }

  /** While `on`, new connections are refused; open ones stay. */
  async refuse(on: boolean): Promise<void> {
    if (on) {
      this.listener?.close();
      this.listener = undefined;
    } else if (this.listener === undefined) {
      const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.accept(socket));
      this.listener = listener;
      listener.listen(this.port, '127.0.0.1');
      await once(listener, 'listening');
    }
  }

  /**
   * Stops forwarding on all connections, also on later ones, and closes nothing: the proxy does not read what is sent
   * that way, so it waits in the buffers of the systems, including the close of a connection.
   */
  halfOpen(directions: Direction | 'both'): void {
    for (const direction of ['toClient', 'toServer'] as const)
      if (directions === direction || directions === 'both') this.shut.add(direction);
    this.update();
  }

  /** While `on`, new connections are accepted and never spoken to, not even afterwards. */
  hold(on: boolean): void {
    this.holding = on;
  }

  /** Whatever is sent arrives so much later. */
  delay(ms: number): void {
    this.delayMs = ms;
    this.update();
  }

  /** Inserts bytes into the streams of all open connections. */
  inject(bytes: Uint8Array | string, direction: Direction): void {
    for (const link of this.links.values()) link.inject(Buffer.from(bytes as string), direction);
  }

  /** Undoes `refuse`, `halfOpen`, `hold` and `delay`: half-open connections continue with what was sent in the meantime. */
  async heal(): Promise<void> {
    this.shut.clear();
    this.hold(false);
    this.delay(0);
    await this.refuse(false);
  }

  async stop(): Promise<void> {
    await this.refuse(true);
    const closed = Promise.all([
      ...[...this.links].map((link) => link.closed),
      ...[...this.held].map((client) => socketClosed(client)),
    ]);
    this.cut();
    // A socket that cannot report its end is destroyed anyway, so that no test waits forever.
    const givenUp = new AbortController();
    await Promise.race([closed, sleep(STOP_MS, undefined, { ref: false, signal: givenUp.signal })]);
    givenUp.abort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private accept(client: Socket): void {
    this.count += 1;
    if (this.holding) {
      this.held.add(client);
      client.on('error', () => undefined).on('close', () => this.held.delete(client));
      client.once('end', () => client.end()).resume();
      return;
    }
    const link = new FaultLink(client, this.to, this.faults());
    this.links.add(link);
    void link.closed.then(() => this.links.delete(link));
  }

  private update(): void {
    for (const link of this.links.values()) link.set(this.faults());
  }

  private faults(): LinkFaults {
    return { shut: this.shut, delayMs: this.delayMs };
  }
}

const STOP_MS = 5_000;

/** Starts a proxy in front of the server that listens on the port `to`. */
export function startFaultProxy({ to }: { readonly to: number }): Promise<FaultProxy> {
  return onFreePort(async (port) => {
    const proxy = new FaultProxy(port, to);
    await proxy.refuse(false);
    return proxy;
  });
}
