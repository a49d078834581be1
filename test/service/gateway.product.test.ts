import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { startService } from '../../src/service/start-service.js';
import { eventually } from '../support/eventually.js';
import { httpCall } from '../support/http-call.js';
import { RunningProcess } from '../support/processes.js';
import { root } from '../support/root.js';
import { ServedFleet } from '../support/served-fleet.js';

const servers: Server[] = [];
let gateway: RunningProcess | undefined;
let fleet: ServedFleet;
afterEach(async () => {
  await gateway?.end('SIGKILL');
  for (const server of servers.splice(0)) server.close();
  await fleet.service.stop();
});

/** A worker that answers with its name and the request. */
async function engine(name: string): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => response.end(`${name}: ${request.method} ${request.url} ${body}`));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startGateway(env: Record<string, string>): Promise<{ url: string; err: () => string }> {
  const started = new RunningProcess(process.execPath, [join(root, 'examples/gateway/gateway.js')], {
    env: { PORT: '0', MODEL: 'tiny-model', ...env },
  });
  gateway = started;
  await eventually(() => started.out.includes('routing on'));
  return { url: started.out.trim().split(' ').at(-1) ?? '', err: () => started.err };
}

const captured = JSON.parse(
  readFileSync(join(root, 'test/fixtures/captures/1.6.1/http/overload.json'), 'utf8'),
) as { case: string; answers?: { status: number; body?: string }[] }[];
/** The response of Dynamo 1.6.1 when all workers are busy. */
const refused = captured.find((exchange) => exchange.case === 'one worker, above the limit')?.answers?.[0]
  ?.body;

it('the example gateway routes around busy workers, and answers 529 with Retry-After when all are busy', async () => {
  fleet = await ServedFleet.start();
  const call = { method: 'POST', body: 'hello' };
  for (const id of ['7', '8']) await fleet.worker(id);
  for (const pool of fleet.pools.list()) pool.setThresholds({ activeDecodeBlocksThreshold: 0.5 });
  const WORKERS = `7=${await engine('seven')} 8=${await engine('eight')}`;
  const { url, err } = await startGateway({ TIDEMARK: fleet.url, WORKERS });
  const ask = async () => (await httpCall(`${url}/v1/completions`, call)).body;
  const several = async () => new Set(await Promise.all(Array.from({ length: 8 }, ask)));
  await eventually(async () =>
    expect(await several()).toEqual(
      new Set(['seven: POST /v1/completions hello', 'eight: POST /v1/completions hello']),
    ),
  );
  fleet.load('7', 60);
  await eventually(async () =>
    expect(await several()).toEqual(new Set(['eight: POST /v1/completions hello'])),
  );
  fleet.load('8', 60);
  await eventually(async () =>
    expect(await httpCall(url, call)).toMatchObject({
      status: 529,
      headers: { 'retry-after': '1', 'content-type': 'application/json' },
      body: refused,
    }),
  );

  // While tidemark is unreachable, its last state is kept. Then the gateway reconnects.
  const { port } = fleet.service;
  await fleet.service.stop();
  await eventually(() => err().includes('cannot read events from tidemark'));
  expect((await httpCall(url, call)).status).toBe(529);
  fleet = new ServedFleet();
  fleet.service = await startService({ pools: fleet.pools, port });
  // The new process knows nothing yet, so no worker is held back.
  await eventually(async () =>
    expect(await several()).toEqual(
      new Set(['seven: POST /v1/completions hello', 'eight: POST /v1/completions hello']),
    ),
  );
});

it('a worker of two pools is busy in each of them separately', async () => {
  fleet = await ServedFleet.start();
  const prefillAt = 'dynamo/prefill/generate';
  await fleet.worker('7');
  await fleet.worker('7', 'tiny-model', prefillAt, 1, 'prefill');
  for (const pool of fleet.pools.list()) pool.setThresholds({ activeDecodeBlocksThreshold: 0.5 });
  const { url } = await startGateway({ TIDEMARK: fleet.url, WORKERS: `7=${await engine('seven')}` });
  const status = async () => (await httpCall(url)).status;
  await eventually(async () => expect(await status()).toBe(200));
  fleet.load('7', 60);
  await eventually(async () => expect(await status()).toBe(529));
  // It stops to help with prefill, and is as full as before.
  await fleet.worker('7', null, prefillAt);
  await eventually(() => fleet.pools.list().length === 1);
  expect(await status()).toBe(529);
  fleet.load('7', 40);
  await eventually(async () => expect(await status()).toBe(200));
});

it('requests of a LoRA adapter go to the workers of its model', async () => {
  fleet = await ServedFleet.start();
  for (const id of ['7', '8']) await fleet.worker(id);
  await fleet.adapter('7', 'tiny-sql');
  for (const pool of fleet.pools.list()) pool.setThresholds({ activeDecodeBlocksThreshold: 0.5 });
  const WORKERS = `7=${await engine('seven')}`;
  const { url } = await startGateway({ TIDEMARK: fleet.url, WORKERS, MODEL: 'tiny-sql' });
  fleet.load('8', 10);
  fleet.load('7', 60);
  await eventually(async () => expect((await httpCall(url)).status).toBe(529));
  fleet.load('7', 40);
  await eventually(async () => expect((await httpCall(url)).status).toBe(200));
});

it('without tidemark, every worker gets requests after a time', async () => {
  fleet = await ServedFleet.start();
  await fleet.worker('7');
  for (const pool of fleet.pools.list()) pool.setThresholds({ activeDecodeBlocksThreshold: 0.5 });
  const WORKERS = `7=${await engine('seven')}`;
  const { url } = await startGateway({ TIDEMARK: fleet.url, WORKERS, MAX_SILENCE_MS: '1000' });
  fleet.load('7', 60);
  await eventually(async () => expect((await httpCall(url)).status).toBe(529));
  await fleet.service.stop();
  await eventually(async () => expect((await httpCall(url)).status).toBe(200));
});
