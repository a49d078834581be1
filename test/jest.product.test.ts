import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOOK_MS, ownNames, packedProject, type PackedProject } from './support/packed-project.js';
import { outcomeOf, run } from './support/processes.js';
import { root } from './support/root.js';

const [, recipe = ''] =
  /```js\n(\/\/ jest\.config\.js[^]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];

const tests = `
const { NEVER, firstValueFrom, of } = require('rxjs');
const { loadMonitor, policies, workerId } = require('tidemark');
const { assertMarble, fleetOperators } = require('tidemark/testing');
const { receiveLoads } = require('tidemark/dynamo');
const { natsMessages } = require('tidemark/nats');
const { givenPool, startService } = require('tidemark/service');

test('a marble holds', () => {
  const { map } = require('rxjs');
  assertMarble('-a-|\\na := 2\\n> double\\n-b-|\\nb := 4', 'double.txt', { double: () => map((n) => n * 2) });
});
test('a service answers', async () => {
  const configs = of(new Map([[workerId('7'), { totalKvBlocks: 100 }]]));
  const monitor = loadMonitor({ configs, loads: NEVER }, { policy: policies.default });
  const endpoint = { namespace: 'prod', component: 'backend', endpoint: 'generate' };
  const pools = givenPool({ name: { model: 'llama', endpoint }, monitor, setThresholds: () => undefined });
  monitor.connect();
  const service = await startService({ pools, port: 0 });
  const { state } = await (await fetch(service.url + '/busy')).json();
  await service.stop();
  monitor.stop();
  expect(state).toBe('unknown');
});
test('a missing package is named', async () => {
  const { problems$ } = receiveLoads(natsMessages({ servers: '127.0.0.1:1' }));
  expect((await firstValueFrom(problems$)).code).toBe('package-missing');
});
test('busy sets of two runs are equal when their ids are', () => {
  const { from, last } = require('rxjs');
  const { busySets, reduceFleet } = require('tidemark');
  const { fleetEvents } = require('tidemark/testing');
  const busyAfter = (...workers) => {
    let busy;
    from(workers.map((worker) => fleetEvents.load(worker, { activePrefillTokens: 11 })))
      .pipe(reduceFleet(policies.default, { thresholds: { activePrefillTokensThreshold: 10 } }), busySets(), last())
      .subscribe((set) => (busy = set));
    return busy;
  };
  expect(busyAfter(7, 8)).toEqual(busyAfter(8, 7));
  expect(busyAfter(7, 8)).toStrictEqual(busyAfter(8, 7));
  expect(busyAfter(7)).not.toEqual(busyAfter(8));
});
test('a wrong expectation fails', () => expect(typeof loadMonitor).toBe(process.env.EXPECTED ?? 'function'));
`;

describe('Jest in a CommonJS project', () => {
  let project: PackedProject;
  beforeAll(async () => {
    project = await packedProject(ownNames(['jest', 'babel-jest', '@babel/preset-env', 'fastify']), {});
    await project.write({ 'jest.config.js': recipe, 'monitor.test.js': tests });
  }, HOOK_MS);
  afterAll(() => project[Symbol.asyncDispose]());

  const jest = (env: NodeJS.ProcessEnv = {}) =>
    outcomeOf(process.execPath, [join(root, 'node_modules/jest/bin/jest.js'), '--ci'], {
      cwd: project.folder,
      env,
    });

  it('runs tests of tidemark with the recipe of the README', async () => {
    const { err, code } = await jest();
    expect(err).toContain('Tests:       5 passed, 5 total');
    expect(code).toBe(0);
  });

  it('fails when a test fails', async () => {
    expect((await jest({ EXPECTED: 'string' })).err).toContain('1 failed, 4 passed');
  });

  it('Node itself requires it', async () => {
    const script =
      "console.log(typeof require('tidemark').loadMonitor, typeof require('tidemark/service').startService)";
    const out = await run(process.execPath, ['-e', script], { cwd: project.folder });
    expect(out).toBe('function function\n');
  });
});
