import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/eventually.js';
import { RunningProcess } from '../../support/processes.js';
import { root } from '../../support/root.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';

const script = `
import { watchPrefix } from 'tidemark/etcd';
const { changes$, status$ } = watchPrefix({ hosts: process.argv[1], prefixes: 'v1/' });
status$.subscribe(({ state }) => console.log(state));
changes$.subscribe(({ kind, changes }) => console.log(kind, changes.map(({ key }) => key).join(' ')));
`;

/** Watches in another process, which is stopped for a while, and returns its output. */
export async function stopped(forMs: number): Promise<string[]> {
  await using setup = await startEtcdBehindProxy();
  await using watching = new RunningProcess(
    process.execPath,
    ['--input-type=module', '-e', script, setup.hosts],
    { cwd: root, showErrors: true },
  );
  const lines = (): string[] => watching.lines.map((line) => line.trim());
  await eventually(() => lines().includes('live'));
  await setup.writer.put('v1/before', 'x');
  await eventually(() => lines().includes('changes v1/before'));
  watching.signal('SIGSTOP');
  await setup.writer.put('v1/meanwhile', 'x');
  await sleep(forMs);
  watching.signal('SIGCONT');
  await eventually(() => lines().includes('changes v1/meanwhile'));
  await setup.writer.put('v1/after', 'x');
  await eventually(() => lines().includes('changes v1/after'));
  // Timers that were due in the meantime fired before that.
  return lines();
}

/** Its output when it continues on the same connection. */
export const calm = [
  'connecting',
  'snapshot',
  'live',
  'changes v1/before',
  'changes v1/meanwhile',
  'changes v1/after',
];
