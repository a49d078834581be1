import { describe, expect, it } from 'vitest';
import {
  encodeServiceInfo,
  encodeServicePing,
  encodeServiceStats,
} from '../../../src/wire/services/service-encoder.js';
import { capturedReplies } from './captured-services.js';

interface Reply {
  readonly type: string;
  readonly name: string;
  readonly id: string;
  readonly version: string;
  readonly description: string;
  readonly started: string;
  readonly endpoints: readonly {
    readonly name: string;
    readonly subject: string;
    readonly num_requests: number;
    readonly num_errors: number;
    readonly processing_time: number;
    readonly average_processing_time: number;
    readonly last_error: string;
    readonly queue_group: string;
  }[];
}

const replies = capturedReplies().map(({ payload }) => new TextDecoder().decode(payload));

/** The statistics of each endpoint as they stand in the text. */
const dataOf = (text: string): string[] =>
  [...text.matchAll(/"data":(.*?),"queue_group"/g)].map(([, data = '']) => data);

const encoders: Record<string, (reply: Reply, data: readonly string[]) => Uint8Array> = {
  ping: (reply) => encodeServicePing(reply),
  info: (reply) =>
    encodeServiceInfo({
      ...reply,
      endpoints: reply.endpoints.map((one) => ({ ...one, queueGroup: one.queue_group })),
    }),
  stats: (reply, data) =>
    encodeServiceStats({
      ...reply,
      endpoints: reply.endpoints.map((one, at) => ({
        ...one,
        numRequests: one.num_requests,
        numErrors: one.num_errors,
        processingTime: one.processing_time,
        averageProcessingTime: one.average_processing_time,
        lastError: one.last_error,
        queueGroup: one.queue_group,
        data: data[at] ?? null,
      })),
    }),
};

describe('service encoders - byte for byte as 0.5.1 and 0.6.0', () => {
  it('the captures contain replies of all three kinds', () => {
    expect(new Set(replies.map((text) => /v1\.([a-z]+)_/.exec(text)?.[1]))).toEqual(
      new Set(['ping', 'info', 'stats']),
    );
  });

  it.each([...new Set(replies)])('%s', (text) => {
    const reply = JSON.parse(text) as Reply;
    const encode = encoders[/v1\.([a-z]+)_/.exec(reply.type)?.[1] ?? ''];
    expect(new TextDecoder().decode(encode?.(reply, dataOf(text)))).toBe(text);
  });
});

describe('service encoders - what the original refuses is not written', () => {
  it('times and counts are digits only, however large', () => {
    const at = { name: 'e', subject: 's', lastError: '', data: null, queueGroup: 'q' };
    const counts = {
      numRequests: 2n ** 63n,
      numErrors: 1e21,
      processingTime: 0.5,
      averageProcessingTime: 1.9,
    };
    const text = new TextDecoder().decode(
      encodeServiceStats({
        name: 'n',
        id: 'i',
        version: '0.0.1',
        started: 't',
        endpoints: [{ ...at, ...counts }],
      }),
    );
    expect(text).toContain(
      '"num_requests":9223372036854775808,"num_errors":1000000000000000000000,"processing_time":0,"average_processing_time":1,',
    );
  });
});
