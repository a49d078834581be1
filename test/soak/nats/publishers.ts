import type { NatsConnection } from 'nats';
import type { ActiveLoad } from '../../../src/core/events/fleet-event.js';
import { workerId, type WorkerId } from '../../../src/core/worker-id.js';
import {
  encodeActiveLoad,
  encodeActiveLoadJson,
  encodeEnvelope,
  type LoadFieldCount,
} from '../../../src/wire/loads/load-encoder.js';
import { loadSubject } from '../../../src/dynamo/loads/subjects.js';
import { NumberedPublisher } from '../../integration/nats/numbered-publisher.js';

const PAUSE_MS = 10;
const NAMESPACE = 'soak.one';
const endpoint = { namespace: NAMESPACE, component: 'backend', endpoint: 'generate' };

interface Form {
  readonly subject: string;
  readonly publisherId: string | null;
  readonly fields: LoadFieldCount;
}

/** One publisher of each release. That of 0.8 has no id and does not number its messages. */
const forms: readonly Form[] = [
  { subject: loadSubject({ namespace: NAMESPACE }), publisherId: null, fields: 4 },
  { subject: loadSubject({ namespace: NAMESPACE }), publisherId: '2', fields: 4 },
  { subject: loadSubject({ namespace: NAMESPACE }), publisherId: '18446744073709551615', fields: 5 },
  { subject: loadSubject(endpoint), publisherId: '9223372036854775809', fields: 5 },
  { subject: loadSubject({ ...endpoint, endpoint: 'other' }), publisherId: '4294967296', fields: 5 },
];

/** Publishes increasing numbers, about a hundred per second, directly to the server. */
export class Publisher {
  readonly worker: WorkerId;
  /** The number of published messages, which are numbered from 0. */
  count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly connection: NatsConnection,
    private readonly form: Form,
    index: number,
  ) {
    this.worker = workerId(String(2n ** 53n + BigInt(index)));
  }

  /** `null` for one of 0.8. */
  get publisherId(): string | null {
    return this.form.publisherId;
  }

  start(): void {
    this.#timer = setInterval(() => this.publish(), PAUSE_MS);
  }

  /** Stops, after a last message on an established connection. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.connection.flush();
    this.publish();
    await this.connection.flush();
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  publish(): void {
    const { subject, publisherId, fields } = this.form;
    const sequence = this.count;
    const load: ActiveLoad = {
      workerId: this.worker,
      dpRank: 0,
      activeDecodeBlocks: sequence,
      activePrefillTokens: null,
      kvUsedBlocks: fields === 5 ? 1 : null,
    };
    const bytes =
      publisherId === null
        ? encodeActiveLoadJson(load)
        : encodeEnvelope({ publisherId, sequence, publishedAt: Date.now() }, encodeActiveLoad(load, fields));
    this.connection.publish(subject, bytes);
    this.count += 1;
  }
}

/** A publisher of each release, each on its own connection. */
export function publishers(
  url: string,
  credentials: { readonly user: string; readonly pass: string },
): Promise<Publisher[]> {
  return Promise.all(
    forms.map(
      async (form, index) =>
        new Publisher((await NumberedPublisher.connect(url, credentials)).connection, form, index),
    ),
  );
}
