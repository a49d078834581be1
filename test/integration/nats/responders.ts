import { connect, type NatsConnection } from 'nats';

type Reply = Uint8Array | string;

/** How one responder answers a request: the number of replies, and the delay. */
export interface Answer {
  readonly reply: Reply;
  readonly times?: number;
  readonly afterMs?: number;
  /** Receives the function that sends the reply, instead of a delay; it resolves when the server has the reply. */
  readonly later?: (say: () => Promise<void>) => void;
}

const utf8 = new TextEncoder();

/** Many responders of one micro service on a few connections of the client itself, without tidemark. */
export class Responders implements AsyncDisposable {
  /** The number of requests that each one received. */
  readonly asked: number[] = [];

  private constructor(private readonly connections: readonly NatsConnection[]) {}

  static async connect(
    servers: string,
    connections = 1,
    who: { readonly user?: string; readonly pass?: string } = {},
  ): Promise<Responders> {
    const all = Array.from({ length: connections }, () =>
      connect({ ...who, servers, maxReconnectAttempts: -1, reconnectTimeWait: 50 }),
    );
    return new Responders(await Promise.all(all));
  }

  /** Adds a responder on a subject. `null` never answers, like a dead process with an open connection. */
  async add(subject: string, answer: () => Answer | null): Promise<void> {
    await this.addAll(subject, [answer]);
  }

  async addAll(subject: string, answers: readonly (() => Answer | null)[]): Promise<void> {
    for (const answer of answers) {
      const number = this.asked.push(0) - 1;
      const connection = this.of(number);
      connection.subscribe(subject, {
        callback: (_, { reply = '' }) => {
          this.asked[number] = (this.asked[number] ?? 0) + 1;
          const given = answer();
          if (given === null) return;
          const { times = 1, afterMs, later } = given;
          const bytes = typeof given.reply === 'string' ? utf8.encode(given.reply) : given.reply;
          const say = (): void => {
            for (let n = 0; n < times && !connection.isClosed(); n += 1) connection.publish(reply, bytes);
          };
          const sayAndFlush = (): Promise<void> => {
            say();
            return connection.flush();
          };
          if (later !== undefined) later(sayAndFlush);
          else if (afterMs === undefined) say();
          else setTimeout(say, afterMs);
        },
      });
    }
    await Promise.all(this.connections.map((connection) => connection.flush()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.connections.map((connection) => connection.close()));
  }

  private of(number: number): NatsConnection {
    const connection = this.connections[number % this.connections.length];
    if (connection === undefined) throw new Error('no connection');
    return connection;
  }
}
