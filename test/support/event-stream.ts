import { get, type IncomingMessage } from 'node:http';
import { eventually } from './eventually.js';

/** One server-sent event. */
export interface StreamEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

/** A reader of server-sent events. */
export class EventStream implements Disposable {
  readonly events: StreamEvent[] = [];
  ended = false;
  private text = '';

  private constructor(private readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.take(chunk));
    response.on('close', () => (this.ended = true));
    response.on('error', () => undefined);
  }

  static open(url: string, lastEventId?: string): Promise<EventStream> {
    return new Promise((resolve, reject) => {
      const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      get(url, { headers, agent: false }, (response) => {
        if (response.statusCode === 200) resolve(new EventStream(response));
        else reject(new Error(`status ${response.statusCode}`));
      }).on('error', reject);
    });
  }

  of(type: string): Record<string, unknown>[] {
    return this.events.filter((event) => event.type === type).map(({ data }) => data);
  }

  /** The first event of a type, once received. */
  async first(type: string): Promise<Record<string, unknown>> {
    await eventually(() => this.of(type).length > 0);
    return this.of(type)[0] ?? {};
  }

  /** From now on nothing is read. */
  stall(): void {
    this.response.pause();
    this.response.socket.pause();
  }

  [Symbol.dispose](): void {
    this.response.destroy();
  }

  private take(chunk: string): void {
    this.text += chunk;
    const parts = this.text.split('\n\n');
    this.text = parts.pop() ?? '';
    for (const part of parts) {
      const fields = new Map(
        part.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
      );
      const [id, type, data] = ['id', 'event', 'data'].map((name) => fields.get(name));
      if (id !== undefined && type !== undefined && data !== undefined)
        this.events.push({ id, type, data: JSON.parse(data) as Record<string, unknown> });
    }
  }
}
