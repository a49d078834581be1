import { existsSync, mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWith } from './describe-with.js';
import { eventually } from './eventually.js';
import { RunningProcess } from './processes.js';
import { runMadeUpTest } from './run-made-up-test.js';
import { startWatchdog } from './watchdog.js';

/** Whether the port is closed: a paused server still accepts connections. */
const isRefused = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(false));
    socket.on('error', () => resolve(true)).on('connect', () => socket.destroy());
  });

describeWith('etcd', 'a process of tests that is killed', () => {
  it('leaves neither its server, though it is stopped, nor its folder behind', async () => {
    const { out, last } = await runMadeUpTest(
      `import { startEtcd } from 'support/etcd-server.ts';
       it('is killed', async () => {
         const server = await startEtcd();
         await server.pause();
         process.stdout.write(\`\\nstarted \${server.port} in \${server.folder}.\\n\`, () => {
           process.kill(process.pid, 'SIGKILL');
         });
         await new Promise(() => {});
       });`,
      process.env,
    );
    const [, port = '', folder = ''] = /started (\d+) in (.*)\./.exec(out) ?? [];
    expect(folder).toContain('tidemark-etcd-');
    expect(last).toMatch(/[1-9]\d* failed/);
    await eventually(() => isRefused(Number(port)));
    await eventually(() => !existsSync(folder));
  });
});

it('watchdog - a server that is no longer guarded keeps running', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-watchdog-'));
  const watchdog = startWatchdog(folder);
  await using child = new RunningProcess('/bin/sh', ['-c', 'read -r line'], { openInput: true });
  watchdog.guard(child.pid);
  watchdog.guard(undefined);
  await watchdog.dismiss();
  expect(existsSync(folder)).toBe(false);
  expect(child.finished).toBeUndefined();
  expect(await child.finish('\n')).toMatchObject({ code: 0, signal: null });
});
