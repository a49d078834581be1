import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { monotonicScheduler } from '../../../src/adapters/clock/monotonic-scheduler.js';
import { frontendThresholds } from '../../../src/service/frontends/frontend-thresholds.js';
import { EventStream } from '../../support/event-stream.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { httpCall } from '../../support/http-call.js';
import { ServedFleet } from '../../support/served-fleet.js';

type Answer = { readonly status?: number; readonly body?: string; readonly silent?: true };

/** A Dynamo frontend with an answer that a test sets. */
class FakeFrontend implements AsyncDisposable {
  answer: Answer = {};
  private readonly server: Server;

  private constructor(readonly port: number) {
    this.server = createServer((request, response) => {
      const { status = 200, body = '{"thresholds":[]}', silent } = this.answer;
      if (silent === true) return;
      response.writeHead(request.url === '/busy_threshold' ? status : 418, {
        'content-type': 'application/json',
      });
      response.end(body);
    });
  }

  static async start(answer: Answer = {}, port?: number): Promise<FakeFrontend> {
    const frontend = new FakeFrontend(port ?? (await freePort()));
    frontend.answer = answer;
    await new Promise<void>((resolve) => frontend.server.listen(frontend.port, '127.0.0.1', resolve));
    return frontend;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

/** An answer of a frontend with thresholds, as Dynamo writes it. */
function answerWith(...models: [model: string, decode: string, tokens?: string][]): Answer {
  const entries = models.map(
    ([model, decode, tokens = 'null']) =>
      `{"model":"${model}","active_decode_blocks_threshold":${decode},"active_prefill_tokens_threshold":${tokens},"active_prefill_tokens_threshold_frac":null}`,
  );
  return { body: `{"thresholds":[${entries.join(',')}]}` };
}

let fleet: ServedFleet;
afterEach(() => fleet.service.stop());

async function followingWithin(timeoutMs: number, ...urls: string[]): Promise<void> {
  const frontends = frontendThresholds({ urls, intervalMs: 20, timeoutMs, scheduler: monotonicScheduler });
  fleet = await ServedFleet.start({ frontends });
  await fleet.worker('7');
}

const following = (...urls: string[]): Promise<void> => followingWithin(60_000, ...urls);

const json = async (path: string): Promise<unknown> =>
  JSON.parse((await httpCall(fleet.url + path)).body) as unknown;
const listed = async (): Promise<string> => (await httpCall(`${fleet.url}/busy_threshold`)).body;

describe('the thresholds of Dynamo’s frontends', () => {
  it('are in force exactly, also after a change, and in a pool that appears later', async () => {
    await using frontend = await FakeFrontend.start(
      answerWith(['tiny-model', '0.5', '18446744073709551615'], ['late', '0.1']),
    );
    await following(frontend.url);
    await eventually(async () =>
      expect(await listed()).toContain(
        '"active_decode_blocks_threshold":0.5,"active_prefill_tokens_threshold":18446744073709551615',
      ),
    );
    fleet.load('7', 60);
    expect(await json('/busy')).toMatchObject({ state: 'all-busy' });
    frontend.answer = answerWith(['tiny-model', '0.75'], ['late', '0.1']);
    await eventually(async () => expect(await json('/busy')).toMatchObject({ state: 'free' }));
    await fleet.worker('8', 'late');
    fleet.load('8', 20);
    await eventually(async () => expect(await json('/busy?model=late')).toMatchObject({ state: 'all-busy' }));
  });

  it('cannot be set in tidemark, and the error says where to set them', async () => {
    await using frontend = await FakeFrontend.start();
    await following(frontend.url);
    const call = (body: string) =>
      httpCall(`${fleet.url}/busy_threshold`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    expect(await call('{"model":"tiny-model","active_decode_blocks_threshold":0.5}')).toMatchObject({
      status: 409,
      body: '{"error":"The thresholds are those of Dynamo’s frontends: set them there."}',
    });
    expect((await call('{"model":"tiny-model"}')).status).toBe(200);
  });

  it.each(['first', 'second'])(
    'a frontend that does not list a model says nothing about it, also where it is named %s',
    async (order) => {
      await using empty = await FakeFrontend.start();
      await using full = await FakeFrontend.start(answerWith(['tiny-model', '0.3']));
      await following(...(order === 'first' ? [empty.url, full.url] : [full.url, empty.url]));
      await eventually(async () => expect(await listed()).toContain('"active_decode_blocks_threshold":0.3'));
      await eventually(async () =>
        expect(await json('/frontends')).toMatchObject({
          frontends: [{ state: 'live' }, { state: 'live' }],
          drift: [],
        }),
      );
      // Its answer counts while no other frontend lists the model.
      await full[Symbol.asyncDispose]();
      await eventually(async () =>
        expect(JSON.stringify(await json('/frontends'))).toContain('"state":"down"'),
      );
      expect(await listed()).toContain('"active_decode_blocks_threshold":0.3');
      expect(await json('/thresholds')).toMatchObject({
        entries: [{ target: { model: 'tiny-model' }, origin: { route: `frontend ${full.url}` } }],
      });
    },
  );

  it('a threshold that is absent at a frontend is null there', async () => {
    const body = '{"thresholds":[{"model":"tiny-model","active_decode_blocks_threshold":0.5}]}';
    await using first = await FakeFrontend.start({ body });
    await using second = await FakeFrontend.start(answerWith(['tiny-model', '0.5']));
    await following(first.url, second.url);
    await eventually(async () => expect(await listed()).toContain('"active_decode_blocks_threshold":0.5'));
    expect(await json('/frontends')).toMatchObject({ drift: [] });
  });

  it('drift between replicas is reported, and the first that answers takes precedence', async () => {
    await using first = await FakeFrontend.start(answerWith(['tiny-model', '0.5']));
    await using second = await FakeFrontend.start(answerWith(['tiny-model', '0.9'], ['other', 'null']));
    await following(first.url, second.url);
    using events = await EventStream.open(`${fleet.url}/events`);
    const drift = [
      {
        model: 'tiny-model',
        threshold: 'activeDecodeBlocksThreshold',
        values: [
          { url: first.url, value: 0.5 },
          { url: second.url, value: 0.9 },
        ],
      },
    ];
    await eventually(async () => expect(await json('/frontends')).toMatchObject({ drift }));
    const series = (model: string, threshold: string): string =>
      `tidemark_threshold_drift{model="${model}",threshold="${threshold}"}`;
    const page = (await httpCall(`${fleet.url}/metrics`)).body;
    expect(page).toContain(`${series('tiny-model', 'activeDecodeBlocksThreshold')} 1\n`);
    expect(page).toContain(`${series('tiny-model', 'activePrefillTokensThreshold')} 0\n`);
    expect(page).toContain(`${series('other', 'activeDecodeBlocksThreshold')} 0\n`);
    expect(await json('/frontends')).toMatchObject({
      frontends: [
        { url: first.url, state: 'live', models: ['tiny-model'] },
        { state: 'live', models: ['other', 'tiny-model'] },
      ],
    });
    await eventually(async () => expect(await listed()).toContain('"active_decode_blocks_threshold":0.5'));
    // The other frontend is polled too, and is used while the first one is down.
    await first[Symbol.asyncDispose]();
    await eventually(async () => expect(await listed()).toContain('"active_decode_blocks_threshold":0.9'));
    expect(await json('/frontends')).toMatchObject({ drift: [] });
    expect(await json('/frontends')).toMatchObject({
      frontends: [{ state: 'down', models: ['tiny-model'] }, { state: 'live' }],
    });
    expect(await events.first('drift')).toHaveProperty('drift');
    await eventually(() => events.of('drift').at(-1)?.['drift']?.toString() === '');
  });

  it.each<[string, Answer, RegExp]>([
    [
      'no admin API',
      { status: 404 },
      /has no \/busy_threshold: check whether DYN_DISABLE_FRONTEND_ADMIN_API is set there/,
    ],
    ['an error', { status: 500 }, /answers with status 500/],
    ['no JSON', { body: '<html>' }, /answers with a body that is not a list of thresholds/],
    ['other JSON', { body: '{"thresholds":5}' }, /answers with a body that is not a list of thresholds/],
    ['an entry without a model', { body: '{"thresholds":[{}]}' }, /lists thresholds without a model/],
    [
      'a threshold that is not a number',
      answerWith(['m', '"x"']),
      /lists a active_decode_blocks_threshold that is not a number/,
    ],
    ['no end', { body: 'x'.repeat(5_000_000) }, /answers with more than 4194304 bytes/],
    ['nothing at all', { silent: true }, /cannot be reached: .*(timeout|aborted)/i],
  ])(
    'a frontend that answers with %s is down, with the reason; its thresholds are kept, and it is polled further',
    async (_, bad, why) => {
      await using frontend = await FakeFrontend.start(answerWith(['tiny-model', '0.5']));
      await (bad.silent === true ? followingWithin(500, frontend.url) : following(frontend.url));
      await eventually(async () => expect(await listed()).toContain('"active_decode_blocks_threshold":0.5'));
      frontend.answer = bad;
      await eventually(async () => {
        expect(await json('/frontends')).toMatchObject({
          frontends: [{ state: 'down', why: expect.stringMatching(why) as string, models: ['tiny-model'] }],
        });
      });
      expect(await listed()).toContain('"active_decode_blocks_threshold":0.5');
      frontend.answer = answerWith(['tiny-model', '0.6']);
      await eventually(async () => expect(await listed()).toContain('"active_decode_blocks_threshold":0.6'));
    },
  );
});
