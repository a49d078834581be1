import { afterAll, beforeAll, expect, it } from 'vitest';
import { readDocument } from './support/documents/documents.js';
import { describeWith } from './support/describe-with.js';
import { startEtcd, type EtcdServer } from './support/etcd-server.js';
import { eventually } from './support/eventually.js';
import { startNats, type NatsServer } from './support/nats-server.js';
import { HOOK_MS, ownNames, packedProject, type PackedProject } from './support/packed-project.js';
import { RunningProcess } from './support/processes.js';

const [, section = ''] = /\n## Watch a live fleet\n([^]*?)\n## /.exec(readDocument('README.md')) ?? [];
const [, program = ''] = /```ts no-run\n([^]*?)```/.exec(section) ?? [];
const commands = [...section.matchAll(/^\$ npx tidemark (.*)$/gm)].map(([, args = '']) => args.split(' '));
const packages = [...section.matchAll(/^npm install (.*)$/gm)]
  .flatMap(([, list = '']) => list.split(' '))
  .map((name) => name.replace(/@\d.*$/, ''));

describeWith(['nats-server', 'etcd'], 'the live fleet of the README', () => {
  let nats: NatsServer;
  let etcd: EtcdServer;
  let project: PackedProject;
  beforeAll(async () => {
    const installed = packages.filter((name) => !['tidemark', 'rxjs'].includes(name));
    [nats, etcd, project] = await Promise.all([startNats(), startEtcd(), packedProject(ownNames(installed))]);
  }, HOOK_MS);
  afterAll(() => Promise.all([nats.stop(), etcd.stop(), project[Symbol.asyncDispose]()]));

  const start = (...args: readonly string[]): RunningProcess =>
    new RunningProcess(process.execPath, args, {
      cwd: project.folder,
      env: { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url },
    });
  const cli = (args: readonly string[]): RunningProcess =>
    start('node_modules/tidemark/dist/cli/main.js', ...args);

  it('the commands and the program report busy workers of the simulated fleet', async () => {
    const [watch = [], simulate = []] = commands;
    const urls = { 'nats://127.0.0.1:4222': nats.url, 'http://127.0.0.1:2379': etcd.url };
    const text = Object.entries(urls).reduce((code, [url, own]) => code.replace(url, own), program);
    await project.write({ 'watch.mjs': text });

    await using watching = cli(watch);
    await using running = start('watch.mjs');
    // The two servers answer in either order.
    await eventually(() => ['loads (NATS): live', 'in total'].every((text) => watching.err.includes(text)));
    await using simulating = cli(simulate);
    await eventually(() => watching.out.includes(' is busy: ') && running.out.includes(' is busy: '));

    const busyIds = ({ out }: RunningProcess): string[] =>
      [...out.matchAll(/worker (\d+) is busy: /g)].map(([, id = '']) => id);
    const registered = [...simulating.err.matchAll(/worker (\d+) registered/g)].map(([, id]) => id);
    expect(registered).toHaveLength(3);
    for (const watcher of [watching, running])
      for (const id of busyIds(watcher)) expect(registered).toContain(id);
  });

  it('the command for a real fleet is valid', async () => {
    const [, , real = []] = commands;
    await using watching = cli([...real, '--duration', '0.1']);
    const { code, err, out } = await watching.ended;
    // Its servers do not exist here.
    expect([code, err]).toEqual([2, expect.stringMatching(/^watching namespace prod /)]);
    expect(out).toMatch(/could not be reached, so it is unknown which workers are busy/);
  });
});
