import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { PolicyName } from '../../../src/core/policy/policies.js';
import type { ServiceOptions } from '../../../src/service/service-options.js';
import { eventually } from '../../support/eventually.js';
import { httpCall } from '../../support/http-call.js';
import { ServedFleet } from '../../support/served-fleet.js';

let fleet: ServedFleet;
afterEach(() => fleet.service.stop());

type Method = 'GET' | 'PUT' | 'PATCH' | 'DELETE';

async function call(
  method: Method,
  body: object | string | null = null,
  headers: object = {},
): Promise<[status: number, body: unknown]> {
  const answer = await httpCall(`${fleet.url}/thresholds`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'object' && body !== null ? JSON.stringify(body) : body,
  });
  return [answer.status, JSON.parse(answer.body)];
}

const decode = (fraction: number | null) => ({ active_decode_blocks_threshold: fraction });
const entries = async (): Promise<unknown> => {
  const [, body] = await call('GET');
  return (body as { entries: { target: object; thresholds: object }[] }).entries.map(
    ({ target, thresholds }) => ({
      ...target,
      ...thresholds,
    }),
  );
};
const inForce = async (): Promise<unknown> => {
  const [, body] = await call('GET');
  return (body as { pools: { model: string; thresholds: Record<string, object> }[] }).pools.map(
    ({ model, thresholds }) => [model, thresholds['active_decode_blocks_threshold']],
  );
};

describe('/thresholds', () => {
  it('PUT replaces, PATCH changes, and DELETE removes the thresholds of a target, and each answers old and new', async () => {
    fleet = await ServedFleet.start();
    const llama = { model: 'llama', role: 'prefill' };
    const both = { ...decode(0.9), active_prefill_tokens_threshold: 100 };
    expect(await call('PUT', { ...llama, ...both })).toEqual([200, { target: llama, old: null, new: both }]);
    const off = { ...decode(null), active_prefill_tokens_threshold: 100 };
    expect(await call('PATCH', { ...llama, ...decode(null) })).toEqual([
      200,
      { target: llama, old: both, new: off },
    ]);
    expect(await call('PUT', { ...llama, ...decode(0.5) })).toEqual([
      200,
      { target: llama, old: off, new: decode(0.5) },
    ]);
    // What changes nothing is answered all the same, and is no change.
    expect(await call('PUT', { ...llama, ...decode(0.5) })).toEqual([
      200,
      { target: llama, old: decode(0.5), new: decode(0.5) },
    ]);
    await call('PATCH', { ...llama, active_prefill_tokens_threshold: '18446744073709551615' });
    const tokens = { active_prefill_tokens_threshold: '18446744073709551615' };
    expect(await call('DELETE', { ...llama, thresholds: ['active_decode_blocks_threshold'] })).toEqual([
      200,
      { target: llama, old: { ...decode(0.5), ...tokens }, new: tokens },
    ]);
    expect(await call('DELETE', llama)).toEqual([200, { target: llama, old: tokens, new: null }]);
    expect(await call('DELETE', llama)).toMatchObject([404, { code: 'no-thresholds' }]);
    const [, { changes }] = (await call('GET')) as [number, { changes: { old: unknown; origin: object }[] }];
    expect(changes).toHaveLength(6);
    expect(changes[1]).toMatchObject({
      target: llama,
      old: both,
      new: off,
      origin: { address: '127.0.0.1', token: null, route: 'PATCH /thresholds' },
    });
  });

  it('says what is in force for each pool, and where it comes from; a target may precede its model', async () => {
    fleet = await ServedFleet.start();
    await call('PATCH', decode(0.9));
    await call('PATCH', { model: 'b', ...decode(0.5) });
    await call('PATCH', { worker_id: '7', ...decode(0.1) });
    await fleet.worker('1', 'a');
    await fleet.worker('2', 'b');
    expect(await inForce()).toEqual([
      ['a', { value: 0.9, source: 'entry', target: {} }],
      ['b', { value: 0.5, source: 'entry', target: { model: 'b' } }],
    ]);
    fleet.load('2', 60);
    expect(JSON.parse((await httpCall(`${fleet.url}/busy?model=b`)).body)).toMatchObject({
      state: 'all-busy',
    });
    await call('PATCH', { model: 'b', ...decode(null) });
    expect(JSON.parse((await httpCall(`${fleet.url}/busy?model=b`)).body)).toMatchObject({
      workers: { busy: 0 },
    });
    await call('DELETE', { model: 'b' });
    await call('DELETE', {});
    expect(await inForce()).toEqual([
      ['a', { value: null, source: 'start' }],
      ['b', { value: null, source: 'start' }],
    ]);
    expect(await entries()).toEqual([{ worker_id: '7', ...decode(0.1) }]);
  });

  it.each<[policy: PolicyName, value: number]>([
    ['default', 0.77779],
    // This policy truncates fractions.
    ['dynamo-1.0', 0.7777],
  ])(
    'those of one worker change only that worker, survive its absence and end with DELETE: %s',
    async (policy, value) => {
      fleet = await ServedFleet.start({ policy });
      const busy = async (): Promise<unknown> => {
        const { body } = await httpCall(`${fleet.url}/busy?model=a`);
        return (JSON.parse(body) as { pools: { busy: string[] }[] }).pools.map((pool) => pool.busy);
      };
      const own = async (): Promise<unknown> => {
        const [, body] = await call('GET');
        return (body as { pools: { workers: { worker_id: string; thresholds: object }[] }[] }).pools.map(
          ({ workers }) => workers,
        );
      };
      const report = (): void => {
        for (const id of ['7', '8']) fleet.load(id, 60);
      };
      for (const id of ['7', '8']) await fleet.worker(id, 'a');
      await call('PATCH', { model: 'a', ...decode(0.5) });
      report();
      expect([await busy(), await own()]).toEqual([[['7', '8']], [[]]]);
      await call('PATCH', { worker_id: '7', ...decode(0.77779) });
      report();
      const seven = {
        worker_id: '7',
        thresholds: {
          active_decode_blocks_threshold: { value, source: 'entry', target: { worker_id: '7' } },
          active_prefill_tokens_threshold: { source: 'start' },
          active_prefill_tokens_threshold_frac: { source: 'start' },
        },
      };
      expect([await busy(), await own()]).toMatchObject([[['8']], [[seven]]]);
      await fleet.worker('7', null);
      expect(await entries()).toContainEqual({ worker_id: '7', ...decode(0.77779) });
      await fleet.worker('7', 'a');
      report();
      expect([await busy(), await own()]).toMatchObject([[['8']], [[seven]]]);
      await call('DELETE', { worker_id: '7' });
      report();
      expect([await busy(), await own()]).toEqual([[['7', '8']], [[]]]);
    },
  );

  it('null turns a check off under a policy of Dynamo too, where null in /busy_threshold changes nothing', async () => {
    fleet = await ServedFleet.start({ policy: 'dynamo-1.6' });
    await fleet.worker('1', 'a');
    const post = async (value: number | null): Promise<string> => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ model: 'a', ...decode(value) });
      return (await httpCall(`${fleet.url}/busy_threshold`, { method: 'POST', headers, body })).body;
    };
    expect(await post(0.5)).toContain('"active_decode_blocks_threshold":0.5');
    expect(await post(null)).toContain('"active_decode_blocks_threshold":0.5');
    await call('PATCH', { model: 'a', ...decode(null) });
    expect(await post(null)).toContain('"active_decode_blocks_threshold":null');
    const [, { changes }] = (await call('GET')) as [number, { changes: object[] }];
    expect(changes).toMatchObject([
      { target: { model: 'a' }, old: null, new: decode(0.5), origin: { route: 'POST /busy_threshold' } },
      { target: { model: 'a' }, old: decode(0.5), new: decode(null) },
    ]);
  });

  it.each<[what: string, method: Method, body: object | string, message: RegExp]>([
    [
      'an unknown threshold',
      'PATCH',
      { active_decode_block_threshold: 1 },
      /nearest name is active_decode_blocks_threshold/,
    ],
    ['an unknown part of the target', 'PUT', { modell: 'a', ...decode(1) }, /nearest name is model\./],
    ['another member with DELETE', 'DELETE', { model: 'a', ...decode(1) }, /is not a member of the body/],
    [
      'an unknown name in a list',
      'DELETE',
      { thresholds: ['active_decode'] },
      /nearest name is active_decode/,
    ],
    ['an empty list', 'DELETE', { thresholds: [] }, /one or more names/],
    ['no threshold', 'PATCH', { model: 'a' }, /at least one threshold/],
    ['a fraction above 1', 'PATCH', decode(1.5), /between 0\.0 and 1\.0, got 1\.5/],
    [
      'a negative multiple',
      'PUT',
      { active_prefill_tokens_threshold_frac: -1 },
      /greater than or equal to 0\.0/,
    ],
    ['a fraction of a token', 'PUT', { active_prefill_tokens_threshold: 1.5 }, /whole number from 0 to/],
    [
      'too many tokens',
      'PUT',
      '{"active_prefill_tokens_threshold":18446744073709551616}',
      /whole number from 0 to/,
    ],
    ['a text', 'PUT', { active_decode_blocks_threshold: '0.5' }, /must be a number or null, not "0\.5"/],
    ['an encode role', 'PUT', { role: 'encode', ...decode(1) }, /must be decode or prefill, not "encode"/],
    ['a model that is no text', 'PUT', { model: 5, ...decode(1) }, /model must be a text/],
    ['a long model', 'PUT', { model: 'x'.repeat(1025), ...decode(1) }, /1 to 1024 characters/],
    ['a worker id with a sign', 'PUT', { worker_id: '-1', ...decode(1) }, /not a valid worker id/],
    ['a list', 'PUT', '[]', /must be an object/],
    ['half a body', 'PUT', '{"model":"a"', /not valid JSON/],
    ['a duplicate', 'PUT', '{"model":"a","model":"b","active_decode_blocks_threshold":1}', /duplicate/],
  ])('%s is refused with 400, and changes nothing', async (_, method, body, message) => {
    fleet = await ServedFleet.start();
    await call('PUT', decode(0.5));
    expect(await call(method, body)).toMatchObject([
      400,
      { message: expect.stringMatching(message) as string },
    ]);
    expect(await entries()).toEqual([decode(0.5)]);
  });

  it('needs the admin token where one is set, before the body is read, and records its name', async () => {
    const adminToken = 'correct-horse';
    fleet = await ServedFleet.start({ adminToken });
    expect(await call('PATCH', '{')).toMatchObject([401, { code: 'admin-token' }]);
    expect((await call('PATCH', decode(0.5), { authorization: `Bearer ${adminToken}` }))[0]).toBe(200);
    const [, { changes }] = (await call('GET')) as [number, { changes: object[] }];
    expect(changes).toMatchObject([{ origin: { token: 'admin' } }]);
    expect(JSON.stringify(changes)).not.toContain(adminToken);
  });

  it('accepts only JSON', async () => {
    fleet = await ServedFleet.start();
    expect(await call('PUT', decode(0.5), { 'content-type': 'text/plain' })).toMatchObject([
      415,
      { code: 'content-type' },
    ]);
  });

  it('every change is logged, from old to new, with its origin', async () => {
    const lines: Record<string, unknown>[] = [];
    const write = (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>);
    const logger: ServiceOptions['logger'] = { level: 'info', stream: { write } };
    fleet = await ServedFleet.start({ logger });
    await call('PATCH', { model: 'a', ...decode(0.5) });
    await call('PATCH', { model: 'a', ...decode(0.5) });
    await call('DELETE', { model: 'a' });
    expect(lines.filter(({ msg }) => msg === 'thresholds changed')).toMatchObject([
      { target: { model: 'a' }, old: null, new: decode(0.5), origin: { address: '127.0.0.1' } },
      { target: { model: 'a' }, old: decode(0.5), new: null, origin: { route: 'DELETE /thresholds' } },
    ]);
  });
});

describe('a file of thresholds', () => {
  it('has a change before it is answered, and is in force after a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-state-'));
    const state = join(folder, 'thresholds.json');
    fleet = await ServedFleet.start({ state });
    await call('PATCH', { model: 'a', ...decode(0.5) });
    expect(readFileSync(state, 'utf8')).toContain('"active_decode_blocks_threshold": 0.5');
    await fleet.service.stop();
    fleet = await ServedFleet.start({ state });
    await fleet.worker('1', 'a');
    expect(await inForce()).toEqual([['a', { value: 0.5, source: 'entry', target: { model: 'a' } }]]);
    await fleet.service.stop();
    writeFileSync(state, readFileSync(state, 'utf8').slice(0, 50));
    fleet = await ServedFleet.start({ state });
    expect(await entries()).toEqual([]);
    await eventually(async () =>
      expect((await httpCall(`${fleet.url}/metrics`)).body).toMatch(
        /tidemark_problems_total\{.*code="thresholds-unreadable".*\} 1\n/,
      ),
    );
    rmSync(folder, { recursive: true });
  });
});

describe('/busy_threshold', () => {
  it('knows an adapter by its name while its model card is there, and sets its thresholds alone', async () => {
    fleet = await ServedFleet.start();
    await fleet.worker('1', 'llama');
    await fleet.adapter('1', 'llama-sql');
    const listed = async (): Promise<unknown> => {
      const { body } = await httpCall(`${fleet.url}/busy_threshold`);
      return (JSON.parse(body) as { thresholds: Record<string, unknown>[] }).thresholds.map(
        ({ model, active_decode_blocks_threshold: fraction }) => [model, fraction],
      );
    };
    const post = async (fraction: number): Promise<number> => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ model: 'llama-sql', ...decode(fraction) });
      return (await httpCall(`${fleet.url}/busy_threshold`, { method: 'POST', headers, body })).status;
    };
    expect(await listed()).toEqual([
      ['llama', null],
      ['llama-sql', null],
    ]);
    expect(await post(0.5)).toBe(200);
    expect(await listed()).toEqual([
      ['llama', null],
      ['llama-sql', 0.5],
    ]);
    await fleet.adapter('1', 'llama-sql', false);
    expect(await listed()).toEqual([['llama', null]]);
    expect(await post(0.6)).toBe(404);
  });
});
