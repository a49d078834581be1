import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { inFaultRuns } from '../../support/in-fault-runs.js';
import { root } from '../../support/run-cli.js';
import { startWorld } from './world.js';

const script = `
import { watchPrefix } from 'tidemark/etcd';
const { changes$, status$ } = watchPrefix({ hosts: process.argv[1], prefixes: 'v1/' });
status$.subscribe(({ state }) => console.log(state));
changes$.subscribe(({ kind, changes }) => console.log(kind, changes.map(({ key }) => key).join(' ')));
`;

/** Watches in another process, which is paused for a while, and returns its output. */
async function stopped(forMs: number): Promise<string[]> {
  await using world = await startWorld();
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, world.hosts], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const said: string[] = [];
  createInterface(child.stdout).on('line', (text) => said.push(text.trim()));
  try {
    await eventually(() => said.includes('live'));
    await world.truth.put('v1/before', 'x');
    await eventually(() => said.includes('changes v1/before'));
    child.kill('SIGSTOP');
    await world.truth.put('v1/meanwhile', 'x');
    await sleep(forMs);
    child.kill('SIGCONT');
    await eventually(() => said.includes('changes v1/meanwhile'));
    await world.truth.put('v1/after', 'x');
    await eventually(() => said.includes('changes v1/after'));
    // Timers that were due in the meantime would fire now.
    await sleep(500);
    return said;
  } finally {
    child.kill('SIGKILL');
    await exit;
  }
}

const calm = [
  'connecting',
  'snapshot',
  'live',
  'changes v1/before',
  'changes v1/meanwhile',
  'changes v1/after',
];

describeWith('etcd', 'our own process, stopped', () => {
  it('for a second goes on where it was', async () => {
    expect(await stopped(1_000)).toEqual(calm);
  });

  inFaultRuns(() => {
    it.each([12, 40])(
      'for %i s, longer than anything is waited for, without a false alarm',
      { timeout: 120_000 },
      async (seconds) => {
        expect(await stopped(seconds * 1_000)).toEqual(calm);
      },
    );
  });
});
