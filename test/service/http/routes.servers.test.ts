import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { afterEach, describe, expect, it } from 'vitest';
import { startService } from '../../../src/service/start-service.js';
import { EventStream } from '../../support/event-stream.js';
import { eventually } from '../../support/eventually.js';
import { httpCall, type HttpAnswer } from '../../support/http-call.js';
import { ServedFleet } from '../../support/served-fleet.js';

let fleet: ServedFleet;
afterEach(() => fleet.service.stop());

const get = (path: string): Promise<HttpAnswer> => httpCall(fleet.url + path);
const json = async (path: string): Promise<unknown> => JSON.parse((await get(path)).body) as unknown;
function post(body: object, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return httpCall(`${fleet.url}/busy_threshold`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}
const change = (method: 'PUT' | 'PATCH' | 'DELETE', body: object): Promise<HttpAnswer> =>
  httpCall(`${fleet.url}/thresholds`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Two models, one of them at two endpoints. */
async function twoModels(): Promise<void> {
  fleet = await ServedFleet.start();
  await fleet.worker('1', 'a', 'dynamo/backend/generate', 2);
  await fleet.worker('2', 'a', 'dynamo/prefill/generate');
  await fleet.worker('3', 'b', 'dynamo/backend/generate');
}

describe('pools', () => {
  it('thresholds apply to all pools of a model, and only to its workers', async () => {
    await twoModels();
    expect((await post({ model: 'a', active_decode_blocks_threshold: 0.5 })).status).toBe(200);
    for (const id of ['1', '2', '3']) fleet.load(id, 60);
    fleet.load('1', 60, 1);
    expect(await json('/busy')).toMatchObject({
      state: 'partial',
      retryAfterSeconds: null,
      workers: { known: 3, busy: 2 },
      pools: [
        {
          model: 'a',
          endpoint: 'dynamo.backend.generate',
          state: 'all-busy',
          retryAfterSeconds: 1,
          busy: ['1'],
        },
        { model: 'a', endpoint: 'dynamo.prefill.generate', state: 'all-busy', busy: ['2'] },
        {
          model: 'b',
          endpoint: 'dynamo.backend.generate',
          state: 'unknown',
          retryAfterSeconds: null,
          busy: [],
        },
      ],
    });
    // Without a threshold, its value was compared with nothing.
    expect(await json('/busy?model=b')).toMatchObject({ state: 'unknown', pools: [{ model: 'b' }] });
    expect(await json('/busy?model=a&endpoint=dynamo.prefill.generate')).toMatchObject({
      state: 'all-busy',
      retryAfterSeconds: 1,
      pools: [{ busy: ['2'] }],
    });
    expect(await json('/busy?model=none')).toMatchObject({ state: 'none', retryAfterSeconds: 5, pools: [] });
    expect(await json('/busy_threshold')).toMatchObject({
      thresholds: [
        { model: 'a', active_decode_blocks_threshold: 0.5 },
        { model: 'b', active_decode_blocks_threshold: null },
      ],
    });
  });

  it('loads of workers in no pool are dropped under 1.6, and counted', async () => {
    fleet = await ServedFleet.start({ policy: 'dynamo-1.6' });
    await fleet.worker('1');
    for (const id of ['1', '8', '9', '9']) fleet.load(id, 10);
    await eventually(async () =>
      expect((await get('/metrics')).body).toMatch(
        /tidemark_problems_total\{.*code="unknown-worker".*\} 3\n/,
      ),
    );
  });

  it('a pool ends with its last worker, and its thresholds apply again to the next one', async () => {
    await twoModels();
    await post({ model: 'b', active_prefill_tokens_threshold: 5 });
    await fleet.worker('3', null);
    expect(await json('/busy?model=b')).toMatchObject({ state: 'none' });
    // Without workers, Dynamo's API does not know the model.
    expect(await json('/busy_threshold')).toMatchObject({ thresholds: [{ model: 'a' }] });
    expect(JSON.parse((await post({ model: 'b' })).body)).toMatchObject({
      active_prefill_tokens_threshold: null,
    });
    expect((await post({ model: 'b', active_prefill_tokens_threshold: 6 })).status).toBe(404);
    await fleet.worker('3', 'b');
    expect(await json('/busy_threshold')).toMatchObject({
      thresholds: [{ model: 'a' }, { model: 'b', active_prefill_tokens_threshold: 5 }],
    });
  });

  it('only the default policy judges a load that arrives before its worker is known', async () => {
    for (const policy of ['default', 'dynamo-1.6'] as const) {
      fleet = await ServedFleet.start({ policy });
      await fleet.worker('7');
      await post({ model: 'tiny-model', active_decode_blocks_threshold: 0.5 });
      fleet.load('8', 90);
      await fleet.worker('8');
      const { state } = (await json('/busy')) as { state: string };
      expect([policy, state]).toEqual([policy, policy === 'default' ? 'partial' : 'free']);
      if (policy === 'default') await fleet.service.stop();
    }
  });

  it('an instance without a model card is in no pool', async () => {
    fleet = await ServedFleet.start();
    expect(await json('/busy')).toMatchObject({ state: 'none', pools: [] });
    expect(await json('/workers')).toEqual({ workers: [], next: null });
  });
});

describe('workers', () => {
  it('explains a busy worker: every rank and check, since when, and the recovery conditions', async () => {
    await twoModels();
    await post({ model: 'a', active_decode_blocks_threshold: 0.5, active_prefill_tokens_threshold: 100 });
    const before = Date.now();
    fleet.load('1', 60, 0, 150);
    fleet.load('1', 70, 1);
    const { pools } = (await json('/workers/1')) as { pools: [Record<string, unknown>] };
    expect(pools).toHaveLength(1);
    expect(pools[0]).toMatchObject({
      model: 'a',
      endpoint: 'dynamo.backend.generate',
      busy: true,
      busyRanks: 2,
      neededRanks: 2,
      ranks: [
        {
          rank: 0,
          busy: true,
          checks: [
            { check: 'activePrefillTokens', standing: 'above', value: 150, limit: 100, margin: -50 },
            {
              check: 'activePrefillTokensFrac',
              standing: 'no threshold set',
              value: 150,
              limit: null,
              margin: null,
            },
            { check: 'kvUsedBlocks', standing: 'above', value: 60, limit: 50, margin: -10 },
            { check: 'activeDecodeBlocks', value: 60, limit: null, margin: null },
          ],
        },
        { rank: 1, busy: true },
      ],
      recoveryConditions: [
        '1 of its 2 busy ranks must come down to their limits',
        'rank 0: active prefill tokens 150 must come down to 100 (by 50)',
        'rank 0: used KV blocks 60 must come down to 50 (by 10)',
        'rank 1: used KV blocks 70 must come down to 50 (by 20)',
      ],
    });
    const since = Date.parse(String(pools[0]['since']));
    // The monitor's clock and the wall clock are read one after the other, and both are rounded.
    expect(since).toBeGreaterThan(before - 1_000);
    expect(since).toBeLessThan(Date.now() + 1_000);
    fleet.load('1', 70, 1, 18446744073709551615n);
    expect((await get('/workers/1')).body).toContain('"value":"18446744073709551615"');
    fleet.load('1', 20, 1, 0);
    expect(await json('/workers/1')).toMatchObject({
      pools: [{ state: 'free', busy: false, unknownReason: null, recoveryConditions: [] }],
    });
  });

  it('lists the selected workers in pages, by id', async () => {
    fleet = await ServedFleet.start();
    for (const id of ['18446744073709551615', '9', '10', '100']) await fleet.worker(id);
    await post({ model: 'tiny-model', active_decode_blocks_threshold: 0.5 });
    fleet.load('10', 90);
    const ids = async (query: string) => {
      const { workers, next } = (await json(`/workers${query}`)) as {
        workers: { workerId: string }[];
        next: unknown;
      };
      return [workers.map(({ workerId }) => workerId), next];
    };
    expect(await ids('')).toEqual([['9', '10', '100', '18446744073709551615'], null]);
    expect(await ids('?limit=2')).toEqual([['9', '10'], '10']);
    expect(await ids('?limit=2&after=10')).toEqual([['100', '18446744073709551615'], null]);
    expect(await ids('?busy=true')).toEqual([['10'], null]);
    expect(await ids('?busy=false&limit=1')).toEqual([['9'], '9']);
    expect(await ids('?model=nope')).toEqual([[], null]);
  });

  it.each([
    ['/workers/x', 400, 'worker-id'],
    ['/workers/-1', 400, 'worker-id'],
    ['/workers/007', 400, 'worker-id'],
    ['/workers/18446744073709551616', 400, 'worker-id'],
    ['/workers/' + '9'.repeat(300), 400, 'worker-id'],
    ['/workers/%00', 400, 'worker-id'],
    ['/workers/%E0%A4%A', 400, 'bad-url'],
    ['/workers/8', 404, 'unknown-worker'],
    ['/workers/', 400, 'worker-id'],
    ['/workers/1/2', 404, 'not-found'],
    ['/workers?limit=0', 400, 'query'],
    ['/workers?limit=1e3', 400, 'query'],
    ['/workers?busy=yes', 400, 'query'],
    ['/workers?after=x', 400, 'worker-id'],
    ['/nope', 404, 'not-found'],
    ['/../etc/passwd', 404, 'not-found'],
  ])('%s - %s %s', async (path, status, code) => {
    fleet = await ServedFleet.start();
    const answer = await get(path);
    expect(answer).toMatchObject({ status, headers: { 'content-type': 'application/json' } });
    const { message, ...rest } = JSON.parse(answer.body) as { message: string };
    expect(rest).toEqual({ code });
    expect(message).toMatch(/^.{10,300}$/s);
  });
});

describe('readiness', () => {
  it('is ready while it can answer: sources that are silent or down are in the body only', async () => {
    fleet = new ServedFleet();
    fleet.service = await startService({ pools: fleet.pools, port: 0 });
    const loads = expect.objectContaining({ source: 'loads', state: 'live' }) as unknown;
    expect(await json('/readyz')).toMatchObject({ ready: true, why: [], state: 'none', missingSources: 1 });
    for (const state of ['down', 'stale', 'ended', 'live'] as const) {
      fleet.speak(state, 'silent for 30 s');
      expect((await get('/readyz')).status).toBe(200);
      expect(await json('/readyz')).toEqual({
        ready: true,
        why: [],
        state: 'none',
        missingSources: 0,
        sources: [loads, expect.objectContaining({ source: 'discovery', state, why: 'silent for 30 s' })],
      });
    }
    expect((await get('/healthz')).status).toBe(200);
  });

  it('draining: not ready and no new event streams, but other requests are answered; then streams end and the port is free', async () => {
    fleet = await ServedFleet.start();
    using reader = await EventStream.open(`${fleet.url}/events`);
    await reader.first('snapshot');
    fleet.service.drain();
    expect(await json('/readyz')).toMatchObject({ ready: false, why: ['the service is stopping'] });
    expect(JSON.parse((await get('/events')).body)).toMatchObject({ code: 'draining' });
    expect((await get('/busy')).status).toBe(200);
    expect(reader.ended).toBe(false);
    const { port } = fleet.service;
    await Promise.all([fleet.service.stop(), fleet.service.stop()]);
    await eventually(() => reader.ended);
    await expect(get('/busy')).rejects.toThrow('ECONNREFUSED');
    // The port can be used again immediately.
    const next = await startService({ pools: new ServedFleet().pools, port });
    expect(next.port).toBe(port);
    await next.stop();
  });
});

describe('a source that errors', () => {
  it('is reported as a problem, its last values are kept, and the rest continues', async () => {
    fleet = await ServedFleet.start();
    await fleet.worker('7');
    await post({ model: 'tiny-model', active_decode_blocks_threshold: 0.5 });
    fleet.load('7', 60);
    fleet.failLoads(new Error('cable cut'));
    expect((await get('/metrics')).body).toMatch(/tidemark_problems_total\{.*code="source-error".*\} 1\n/);
    expect(await json('/busy')).toMatchObject({ state: 'all-busy' });
    await fleet.worker('8');
    expect(await json('/busy')).toMatchObject({ state: 'partial' });
  });
});

describe('permission to change thresholds', () => {
  const set = { model: 'tiny-model', active_decode_blocks_threshold: 0.5 };
  const read = { model: 'tiny-model' };
  it.each([
    ['on loopback, without a token', '127.0.0.1', undefined, {}, 200],
    [
      'on loopback, with a token that the request lacks',
      '127.0.0.1',
      'open sesame'.replace(' ', '-'),
      {},
      401,
    ],
    ['on all addresses, without a token', '0.0.0.0', undefined, {}, 403],
    ['on all addresses, with a token that the request lacks', '0.0.0.0', 'secret-token', {}, 401],
    [
      'on all addresses, with the token',
      '0.0.0.0',
      'secret-token',
      { authorization: 'Bearer secret-token' },
      200,
    ],
    [
      'on all addresses, with a lower-case scheme',
      '0.0.0.0',
      'secret-token',
      { authorization: 'bearer secret-token' },
      200,
    ],
    [
      'on all addresses, with a longer token',
      '0.0.0.0',
      'secret-token',
      { authorization: 'Bearer secret-token2' },
      401,
    ],
    [
      'on all addresses, with a part of the token',
      '0.0.0.0',
      'secret-token',
      { authorization: 'Bearer secret' },
      401,
    ],
    [
      'on all addresses, with Basic authorization',
      '0.0.0.0',
      'secret-token',
      { authorization: 'Basic c2VjcmV0LXRva2Vu' },
      401,
    ],
  ])('%s', async (_, host, adminToken, headers, status) => {
    fleet = await ServedFleet.start({ host, ...(adminToken !== undefined && { adminToken }) });
    await fleet.worker('7');
    const answer = await post(set, headers);
    expect(answer.status).toBe(status);
    if (status !== 200)
      expect(JSON.parse(answer.body)).toEqual({ error: expect.stringMatching(/token/) as string });
    if (status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer');
    // Reading needs no token.
    expect(JSON.parse((await post(read)).body)).toMatchObject({
      active_decode_blocks_threshold: status === 200 ? 0.5 : null,
    });
  });

  it('no response allows another origin to read it', async () => {
    fleet = await ServedFleet.start();
    for (const method of ['GET', 'OPTIONS']) {
      const headers = { origin: 'http://evil.example', 'access-control-request-method': 'POST' };
      const answer = await httpCall(`${fleet.url}/busy_threshold`, { method, headers });
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});

describe('limits', () => {
  it('bodies of 100 MB get an answer on every route, without using more memory', async () => {
    fleet = await ServedFleet.start();
    const body = Buffer.alloc(100 * 1024 * 1024, 0x20);
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().arrayBuffers)), 5);
    const headers = { 'content-type': 'application/json' };
    for (const [path, method, status] of [
      ['/busy_threshold', 'POST', 413],
      ['/busy_threshold', 'PUT', 405],
      ['/busy', 'POST', 405],
      ['/nope', 'POST', 404],
      ['/busy', 'GET', 200],
    ] as const) {
      expect([path, (await httpCall(fleet.url + path, { method, headers, body })).status]).toEqual([
        path,
        status,
      ]);
    }
    clearInterval(watch);
    // All requests send the same buffer, allocated before; the rest are chunks in transit.
    expect(peak - before).toBeLessThan(60 * 1024 * 1024);
    expect((await get('/healthz')).status).toBe(200);
  });

  it('headers above 16 KiB get an answer in JSON', async () => {
    fleet = await ServedFleet.start();
    const answer = await httpCall(`${fleet.url}/busy`, { headers: { 'x-large': 'x'.repeat(20_000) } });
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([431, { code: 'bad-request' }]);
    expect((await get('/healthz')).status).toBe(200);
  });

  it('a port in use: an error, and nothing keeps running', async () => {
    fleet = await ServedFleet.start();
    const { port } = fleet.service;
    const second = new ServedFleet();
    await expect(startService({ pools: second.pools, port })).rejects.toMatchObject({
      code: 'port-in-use',
      message: `Port ${port} of 127.0.0.1 is in use; choose another port with --port, or 0 for a free one.`,
    });
    expect(second.pools.sourceMonitor.snapshot()).toBeUndefined();
  });
});

describe('the OpenAPI description', () => {
  it('describes all routes, and each response matches its schema', async () => {
    await twoModels();
    await post({ model: 'a', active_decode_blocks_threshold: 0.5, active_prefill_tokens_threshold: 1 });
    fleet.load('1', 60, 0, 18446744073709551615n);
    fleet.load('1', 60, 1);
    const document = (await json('/openapi.json')) as Description;
    const { routes } = (await json('/')) as { routes: string[] };
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    );
    expect(described.sort()).toEqual([...routes].sort());

    const answers: [route: string, answer: HttpAnswer][] = [];
    for (const path of [
      '/',
      '/busy_threshold',
      '/thresholds',
      '/busy',
      '/workers',
      '/metrics',
      '/frontends',
      '/healthz',
      '/readyz',
      '/health',
      '/live',
      '/openapi.json',
    ])
      answers.push([`GET ${path}`, await get(path)]);
    for (const id of ['1', 'x', '9']) answers.push(['GET /workers/{id}', await get(`/workers/${id}`)]);
    answers.push(['GET /workers', await get('/workers?limit=x')]);
    for (const body of [
      { model: 'a' },
      { model: 'x', active_decode_blocks_threshold: 1 },
      { model: 'a', active_decode_blocks_threshold: 5 },
      {},
    ])
      answers.push(['POST /busy_threshold', await post(body)]);
    for (const [method, body] of [
      ['PUT', { active_prefill_tokens_threshold: 1 }],
      ['PATCH', { model: 'a', role: 'prefill', active_decode_blocks_threshold: null }],
      ['DELETE', { model: 'a', thresholds: ['active_decode_blocks_threshold'] }],
      ['DELETE', { model: 'a', thresholds: ['active_decode_blocks_threshold'] }],
      ['PATCH', {}],
    ] as const)
      answers.push([`${method} /thresholds`, await change(method, body)]);
    answers.push(['GET /thresholds', await get('/thresholds')]);
    for (const type of ['text/plain', 'application/json'])
      answers.push([
        'POST /busy_threshold',
        await post({ x: 'x'.repeat(3_000_000) }, { 'content-type': type }),
      ]);
    fleet.speak('down');
    answers.push(['GET /readyz', await get('/readyz')]);
    fleet.service.drain();
    answers.push(['GET /readyz', await get('/readyz')]);

    const seen = new Set<string>();
    for (const [route, answer] of answers) {
      const [method = '', path = ''] = route.split(' ');
      const content = document.paths[path]?.[method.toLowerCase()]?.responses[answer.status]?.content;
      const type = String(answer.headers['content-type']).split(';')[0] ?? '';
      const schema = content?.[type]?.schema;
      expect([route, answer.status, type, schema === undefined]).toEqual([route, answer.status, type, false]);
      if (type === 'application/json') {
        const valid = validator(schema);
        expect([route, valid(JSON.parse(answer.body)), valid.errors]).toEqual([route, true, null]);
      }
      seen.add(route);
    }
    // Server-sent events have their own test.
    expect([...seen, 'GET /events'].map((route) => route.replace(/\{(\w+)\}/g, ':$1')).sort()).toEqual(
      [...routes].sort(),
    );
  });

  it('a schema refuses undeclared properties and values', async () => {
    await twoModels();
    const { paths } = (await json('/openapi.json')) as Description;
    const valid = validator(paths['/busy']?.['get']?.responses[200]?.content?.['application/json']?.schema);
    const answer = (await json('/busy')) as object;
    expect(valid(answer)).toBe(true);
    expect(valid({ ...answer, more: 1 })).toBe(false);
    expect(valid({ ...answer, state: 'odd' })).toBe(false);
  });
});

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
interface Operation {
  readonly responses: Readonly<
    Record<number, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

function validator(schema: object | undefined): ValidateFunction {
  return new Ajv2020({ strict: true, formats: { 'date-time': /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ } }).compile(
    schema ?? false,
  );
}

describe('metrics', () => {
  it('cover every pool, labelled with model, role and endpoint, and the sources', async () => {
    await twoModels();
    await post({ model: 'a', active_decode_blocks_threshold: 0.5 });
    fleet.load('2', 60);
    fleet.problem({ code: 'undecodable', source: 'loads', text: 'x', count: 3 });
    const page = await get('/metrics');
    expect(page.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = page.body.split('\n');
    expect(lines).toContain(
      'tidemark_pool_workers{model="a",pool="dynamo.prefill.generate",role="decode",state="busy"} 1',
    );
    expect(lines).toContain(
      'tidemark_pool_workers{model="b",pool="dynamo.backend.generate",role="decode",state="busy"} 0',
    );
    expect(page.body).toMatch(
      /tidemark_source_state\{model="",pool="",role="",source="discovery",state="live"\} 1/,
    );
    expect(page.body).toMatch(/tidemark_problems_total\{.*code="undecodable".*\} 3/);
    const accept = { accept: 'application/openmetrics-text; version=1.0.0' };
    const open = await httpCall(`${fleet.url}/metrics`, { headers: accept });
    expect(open.headers['content-type']).toContain('application/openmetrics-text');
    expect(open.body.endsWith('# EOF\n')).toBe(true);
    await fleet.worker('2', null, 'dynamo/prefill/generate');
    expect((await get('/metrics')).body).not.toContain('dynamo.prefill.generate');
  });
});
