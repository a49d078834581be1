import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from './support/describe-with.js';
import { startEtcd } from './support/etcd-server.js';
import { startNats } from './support/nats-server.js';
import { HOOK_MS, ownNames, packedProject, type PackedProject } from './support/packed-project.js';
import { outcomeOf, type Finished } from './support/processes.js';
import { root } from './support/root.js';

const service = `
import { NEVER, of } from 'rxjs';
import { loadMonitor, policies, workerId } from 'tidemark';
import { givenPool, startService } from 'tidemark/service';
const configs = of(new Map([[workerId('7'), { totalKvBlocks: 100 }]]));
const monitor = loadMonitor({ configs, loads: NEVER }, { policy: policies.default });
const endpoint = { namespace: 'prod', component: 'backend', endpoint: 'generate' };
const pools = givenPool({ name: { model: 'llama', endpoint }, monitor, setThresholds: () => undefined });
monitor.connect();
process.on('warning', ({ name, code }) => console.log('warning', name, code));
const service = await startService({ pools, port: 0 }).catch(({ code, message }) => {
  console.log(code + ': ' + message);
  process.exit();
});
const ask = async (path) => await (await fetch(service.url + path)).json();
console.log((await ask('/busy')).state, (await ask('/')).version, (await ask('/workers/' + '9'.repeat(300))).code);
await service.stop();
monitor.stop();
`;

const live = `
import { filter, firstValueFrom } from 'rxjs';
import { loadMonitor, policies } from 'tidemark';
import { dynamoFleet } from 'tidemark/dynamo';
const [nats, etcd] = process.argv.slice(-2);
const fleet = dynamoFleet({ nats, etcd, namespace: 'test' });
const monitor = loadMonitor(fleet.pool().sources, { policy: policies.default });
monitor.problems$.subscribe(({ code, text }) => console.log(code + ': ' + text));
const settled$ = monitor.status$.pipe(
  filter((all) => all.length === 2 && all.every(({ state, code }) => state === 'live' || code !== undefined)),
);
const settled = firstValueFrom(settled$);
monitor.connect();
console.log((await settled).map(({ source, state, code }) => [source, state, code].join(' ')).join(', '));
monitor.stop();
`;

const version = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
  readonly version: string;
};
const answers = `unknown ${version.version} worker-id`;

describe('with the oldest supported versions', () => {
  let project: PackedProject;
  beforeAll(async () => {
    project = await packedProject({
      rxjs: 'rxjs-lowest',
      fastify: 'fastify-lowest',
      nats: 'nats-lowest',
      etcd3: 'etcd3-lowest',
      yaml: 'yaml-lowest',
      'prom-client': 'prom-client-lowest',
      '@noble/hashes': 'noble-hashes-lowest',
    });
    await project.write({ 'live.js': live });
  }, HOOK_MS);
  afterAll(() => project[Symbol.asyncDispose]());

  it('the service answers, and nothing is deprecated', async () => {
    expect(await project.script(service)).toBe(answers);
  });

  it('a registry of prom-client holds the metrics', async () => {
    const script = `
      import { Registry } from 'prom-client';
      import { NEVER, of } from 'rxjs';
      import { loadMonitor, policies, workerId } from 'tidemark';
      import { poolMetrics, registryMetrics } from 'tidemark/prometheus';
      const configs = of(new Map([[workerId('7'), { totalKvBlocks: 100 }]]));
      const monitor = loadMonitor({ configs, loads: NEVER }, { policy: policies.default });
      const metrics = poolMetrics(monitor, { labels: { pool: 'llama' } });
      monitor.connect();
      const registry = new Registry();
      registryMetrics(registry, [metrics]).subscribe();
      console.log((await registry.metrics()).split('\\n').find((line) => line.startsWith('tidemark_monitor_connected{')));
      monitor.stop();
    `;
    expect(await project.script(script)).toMatch(/^tidemark_monitor_connected\{.*pool="llama".*\} [01]$/);
  });

  it('settings are read from YAML', async () => {
    await project.write({ 'tidemark.yaml': 'simulate: true\nport: 0\n' });
    expect(await tidemark(project, 'check', '--config', 'tidemark.yaml')).toContain('simulate');
  });

  describeWith(['nats-server', 'etcd'], 'with servers', () => {
    it('a live fleet is watched and simulated, also with files of a model', async () => {
      await using nats = await startNats();
      await using etcd = await startEtcd();
      expect(await project.run(process.execPath, 'live.js', nats.url, etcd.url)).toBe(
        'loads live , discovery live ',
      );
      await project.write({
        'tiny/config.json': '{}',
        'tiny/tokenizer.json': '{}',
        'tiny/tokenizer_config.json': '{}',
      });
      const servers = ['--nats', nats.url, '--etcd', etcd.url, '--duration', '1'];
      expect(await tidemark(project, 'simulate', ...servers, '--model-path', 'tiny')).toMatch(
        /after \d+\.\d s/,
      );
    });
  });
});

const natsPackages = {
  'nats 2': { nats: 'nats' },
  '@nats-io/transport-node 3': { '@nats-io/transport-node': '@nats-io/transport-node' },
  '@nats-io/transport-node 3.0.0': { '@nats-io/transport-node': 'nats-io-transport-node-lowest' },
};

describeWith(['nats-server', 'etcd'], 'with the clients of the servers only', () => {
  it.each(Object.entries(natsPackages))(
    'a fleet is simulated: no other package is loaded (%s)',
    async (_, names) => {
      await using project = await packedProject({ ...names, etcd3: 'etcd3' });
      await using nats = await startNats();
      await using etcd = await startEtcd();
      const servers = ['--nats', nats.url, '--etcd', etcd.url, '--duration', '1'];
      expect(await tidemark(project, 'simulate', ...servers)).toMatch(/after \d+\.\d s/);
      const { err } = await tidemarkFails(project, 'simulate', ...servers, '--model-path', '.');
      expect(err).toContain('needs @noble/hashes, which is not installed: npm install @noble/hashes@2');
    },
  );
});

describe('without optional packages', () => {
  let project: PackedProject;
  beforeAll(async () => {
    project = await packedProject();
    await project.write({ 'live.js': live });
  }, HOOK_MS);
  afterAll(() => project[Symbol.asyncDispose]());

  it('a monitor reports what is missing, as status and as problem', async () => {
    const lines = (
      await project.run(process.execPath, 'live.js', 'nats://127.0.0.1:1', 'http://127.0.0.1:1')
    ).split('\n');
    expect(lines.sort()).toEqual([
      'loads down package-missing, discovery down package-missing',
      'package-missing: The package etcd3 is not installed: npm install etcd3@1',
      'package-missing: The package nats is not installed: npm install nats@2',
    ]);
  });

  it('the service reports what is missing', async () => {
    expect(await project.script(service)).toMatch(
      /^package-missing: The package fastify is not installed: npm install fastify@5/,
    );
  });

  it('a command names all packages that it needs, and only those', async () => {
    const { err, code } = await tidemarkFails(project, 'simulate');
    expect(err).toContain(
      'tidemark simulate needs nats, which is not installed; and etcd3, which is not installed: npm install nats@2 etcd3@1',
    );
    expect(code).toBe(2);
    expect((await tidemarkFails(project, 'simulate', '--model-path', 'x')).err).toContain(
      'npm install nats@2 etcd3@1 @noble/hashes@2',
    );
  });
});

describe('with packages that are too old', () => {
  let project: PackedProject;
  beforeAll(async () => {
    project = await packedProject();
    await project.write({ 'live.js': live });
    for (const name of ['nats', 'etcd3', 'fastify']) {
      await project.write({
        [`node_modules/${name}/index.js`]: 'module.exports = {};',
        [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '0.9.0', main: 'index.js' }),
      });
    }
  }, HOOK_MS);
  afterAll(() => project[Symbol.asyncDispose]());

  it('a monitor reports it, as status and as problem', async () => {
    const lines = (
      await project.run(process.execPath, 'live.js', 'nats://127.0.0.1:1', 'http://127.0.0.1:1')
    ).split('\n');
    expect(lines.sort()).toEqual([
      'loads down package-version, discovery down package-version',
      expect.stringMatching(
        /^package-version: The package etcd3 is installed as 0\.9\.0, .* npm install etcd3@1$/,
      ),
      expect.stringMatching(
        /^package-version: The package nats is installed as 0\.9\.0, .* npm install nats@2$/,
      ),
    ]);
  });

  it('the service and the commands report it', async () => {
    expect(await project.script(service)).toMatch(
      /^package-version: The package fastify is installed as 0\.9\.0/,
    );
    expect((await tidemarkFails(project, 'watch')).err).toMatch(/needs nats, which is installed as 0\.9\.0/);
  });
});

describe('a service that is bundled into one file', () => {
  it.each(['esm', 'cjs'] as const)('has the version of tidemark, as %s', async (format) => {
    await using project = await packedProject(ownNames(['fastify']), { version: '7.7.7' });
    const outfile = join(project.folder, 'srv/app', format === 'esm' ? 'app.mjs' : 'app.cjs');
    const body = format === 'esm' ? service : wrapped(service);
    await build({
      stdin: { contents: body, resolveDir: project.folder },
      bundle: true,
      platform: 'node',
      format,
      external: ['fastify', 'nats', 'etcd3'],
      outfile,
      logLevel: 'silent',
    });
    expect(await project.run(process.execPath, outfile)).toBe(answers);
  });
});

describe('a clone', () => {
  it('installs with the engines of all its packages enforced', async () => {
    const options = ['--ignore-scripts', '--engine-strict', '--dry-run', '--offline'];
    expect(await outcomeOf('npm', ['ci', ...options], { cwd: root })).toMatchObject({ code: 0 });
  });
});

/** A CommonJS module has no top-level `await`. */
function wrapped(module: string): string {
  const imports = module.match(/^import .*$/gm) ?? [];
  return `${imports.join('\n')}\nvoid (async () => {${module.replace(/^import .*$/gm, '')}})();`;
}

async function tidemark(project: PackedProject, ...args: readonly string[]): Promise<string> {
  return project.run(process.execPath, 'node_modules/tidemark/dist/cli/main.js', ...args);
}

async function tidemarkFails(project: PackedProject, ...args: readonly string[]): Promise<Finished> {
  return outcomeOf(process.execPath, ['node_modules/tidemark/dist/cli/main.js', ...args], {
    cwd: project.folder,
  });
}
