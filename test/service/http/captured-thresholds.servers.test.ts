import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpCall } from '../../support/http-call.js';
import { root } from '../../support/root.js';
import { ServedFleet } from '../../support/served-fleet.js';

/** A request and its response, captured from a real release. */
interface Exchange {
  readonly case: string;
  readonly model_known: boolean;
  readonly thresholds_before: string | null | Readonly<Record<string, number | null>>;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly content_type: string | null;
    readonly body: string | null;
  };
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

const MODEL = 'tiny-model';
const WORKER = '3524526295406930185';
const byTest = { at: '2026-12-01T00:00:00.000Z', address: null, token: null, route: 'test' };
const compared = ['content-type', 'allow'];

describe.each([
  { release: '1.0.1', generation: '1.0' },
  { release: '1.6.1', generation: '1.6' },
] as const)('responses captured from $release', ({ release, generation }) => {
  const file = join(root, 'test/fixtures/captures', release, 'http/busy_threshold.json');
  // Tokens above 2^53 are kept as strings, because JSON.parse would round them.
  const exact = readFileSync(file, 'utf8').replace(/: (\d{16,}),/g, ': "$1",');
  const exchanges = JSON.parse(exact) as Exchange[];
  let fleet: ServedFleet;
  let known = false;
  beforeAll(
    async () => (fleet = await ServedFleet.start({ policy: `dynamo-${generation}`, release: generation })),
  );
  afterAll(() => fleet.service.stop());

  async function call({ method, path, content_type, body }: Exchange['request']) {
    const headers = content_type === null ? {} : { 'content-type': content_type };
    return httpCall(fleet.url + path, { method, headers, body });
  }

  it('there are 68 exchanges', () => {
    expect(exchanges).toHaveLength(68);
  });

  // In the captured order: each exchange depends on the state left by earlier ones. Changes in between are reproduced.
  it.each(exchanges)('$case', async (exchange) => {
    if (exchange.model_known !== known) await fleet.worker(WORKER, exchange.model_known ? MODEL : null);
    known = exchange.model_known;
    const before = exchange.thresholds_before;
    // Dynamo forgets the thresholds of a model with its last worker; tidemark keeps them until they are removed.
    if (before === 'defaults of this version') fleet.pools.book.unset({ model: MODEL }, byTest);
    if (typeof before === 'object' && before !== null) {
      const body = JSON.stringify({ model: MODEL, ...before }).replace(/"(\d{16,})"/g, '$1');
      const request = { method: 'POST', path: '/busy_threshold', content_type: 'application/json', body };
      expect((await call(request)).status).toBe(200);
    }
    const answer = await call(exchange.request);
    expect(answer.status).toBe(exchange.status);
    const headers = new Map(exchange.headers);
    for (const name of compared) expect([name, answer.headers[name]]).toEqual([name, headers.get(name)]);
    // Errors of Dynamo's JSON parser have other texts in tidemark.
    if (exchange.status === 422) {
      expect(Object.keys(JSON.parse(answer.body) as object)).toEqual(['error']);
    } else if (exchange.request.path === '/health') {
      expect(Object.keys(JSON.parse(answer.body) as object)).toEqual(['status', 'endpoints', 'instances']);
    } else if (exchange.body.startsWith('Failed to parse')) {
      expect(answer.body).toMatch(/^The request body is not valid JSON: /);
    } else {
      expect(answer.body).toBe(exchange.body);
      if (headers.has('content-length'))
        expect(answer.headers['content-length']).toBe(headers.get('content-length'));
    }
  });
});
