import { type Observable, Subject, from, lastValueFrom, of, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { ActiveLoad } from '../../../src/core/events/fleet-event.js';
import { policies } from '../../../src/core/policy/policies.js';
import type { Message } from '../../../src/core/sources/message-source.js';
import { loadMessages, type LoadMessagesOptions } from '../../../src/dynamo/publishing/load-messages.js';
import { encodeActiveLoad } from '../../../src/wire/loads/load-encoder.js';
import { decodeEnvelope } from '../../support/decode-envelope.js';
import { load } from '../../support/fleet.js';

const options: LoadMessagesOptions = {
  endpoint: 'dynamo.backend.generate',
  as: 'router',
  release: '1.0',
  publisherId: '123',
  wallClock: { now: () => 1_700_000_000_000 },
};
const envelopes = (messages: readonly Message[]) =>
  messages.map(({ data }) => decodeEnvelope(data, policies.default));
const all = (messages$: Observable<Message>): Promise<Message[]> => lastValueFrom(messages$.pipe(toArray()));

describe('loadMessages', () => {
  it.each([
    ['1.0', 'namespace.dynamo.kv_metrics', 4],
    ['1.6', 'namespace.dynamo.component.backend.endpoint.generate.kv_metrics', 5],
  ] as const)(
    '%s: on its subject, in its bytes, with the time of the wall clock',
    async (release, subject, fields) => {
      const sent = load({ kvUsedBlocks: 5 });
      const [message] = await all(of(sent).pipe(loadMessages({ ...options, as: 'worker', release })));
      expect(message?.subject).toBe(subject);
      const envelope = decodeEnvelope(message?.data ?? new Uint8Array(0), policies.default);
      expect(envelope).toMatchObject({
        publisherId: '123',
        sequence: 0,
        topic: 'kv_metrics',
        publishedAt: 1_700_000_000_000,
      });
      const payload = 'payload' in envelope ? Buffer.from(envelope.payload) : null;
      expect(payload?.equals(encodeActiveLoad(sent, fields))).toBe(true);
    },
  );

  it('a router sends every load at once, equal ones too', () => {
    const loads$ = new Subject<ActiveLoad>();
    const messages: Message[] = [];
    loads$.pipe(loadMessages(options)).subscribe((message) => messages.push(message));
    for (const blocks of [5, 5, 6]) loads$.next(load({ kvUsedBlocks: blocks }));
    expect(envelopes(messages)).toMatchObject([{ sequence: 0 }, { sequence: 1 }, { sequence: 2 }]);
  });

  it('numbers begin again with each subscription', async () => {
    const messages$ = from([load(), load()]).pipe(loadMessages(options));
    expect(envelopes(await all(messages$))).toMatchObject([{ sequence: 0 }, { sequence: 1 }]);
    expect(envelopes(await all(messages$))).toMatchObject([{ sequence: 0 }, { sequence: 1 }]);
  });
});
