import { connect, type Socket } from 'node:net';
import { FaultLane } from './fault-lane.js';
import { socketClosed } from './socket-closed.js';

export type Direction = 'toClient' | 'toServer';

/** What a proxy does to the connections that go through it. */
export interface LinkFaults {
  readonly shut: ReadonlySet<Direction>;
  readonly delayMs: number;
}

/** A client's connection through a `FaultProxy`, and the one to the server behind it. */
export class FaultLink {
  /** Both sides are closed. */
  readonly closed: Promise<void>;
  private readonly server: Socket;
  private readonly lanes: Readonly<Record<Direction, FaultLane>>;

  constructor(
    private readonly client: Socket,
    to: number,
    faults: LinkFaults,
  ) {
    this.server = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    // The event `close` reports the result of an error.
    for (const socket of [client, this.server]) socket.on('error', () => undefined);
    this.closed = Promise.all([client, this.server].map(socketClosed)).then(() => undefined);
    this.lanes = {
      toServer: new FaultLane(client, this.server),
      toClient: new FaultLane(this.server, client),
    };
    this.set(faults);
  }

  get clientIsOpen(): boolean {
    return !this.client.closed;
  }

  set({ shut, delayMs }: LinkFaults): void {
    for (const direction of ['toClient', 'toServer'] as const)
      this.lanes[direction].set({ open: !shut.has(direction), delayMs });
  }

  inject(bytes: Uint8Array, direction: Direction): void {
    this.lanes[direction].send(bytes);
  }

  cut(): void {
    this.drop();
    // `resetAndDestroy` waits for pending writes, forever if the other side has left.
    for (const socket of [this.client, this.server]) socket.resetAndDestroy().destroy();
  }

  finish(): void {
    this.drop();
    this.client.end();
    this.server.end();
  }

  private drop(): void {
    this.lanes.toClient.drop();
    this.lanes.toServer.drop();
  }
}
