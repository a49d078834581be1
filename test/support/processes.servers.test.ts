import { expect, it } from 'vitest';
import { eventually } from './eventually.js';
import { outcomeOf, run, RunningProcess, runSync } from './processes.js';

const node = (script: string): readonly [string, readonly string[]] => [process.execPath, ['-e', script]];

it('processes - a run to the end has its code and both outputs, and a failed one is an error for `run`', async () => {
  const script = `console.log('ö'.repeat(100_000)); console.error('e'); process.exitCode = 3;`;
  const { code, signal, out, err } = await outcomeOf(...node(script));
  expect([code, signal, out, err]).toEqual([3, null, `${'ö'.repeat(100_000)}\n`, 'e\n']);
  await expect(run(...node(script))).rejects.toThrow('exit code 3');
  expect(() => runSync(...node(script))).toThrow('exit code 3');
  expect(await run('cat', [], { input: 'a\n' })).toBe('a\n');
  expect(runSync('cat', [], { input: 'a\n' })).toBe('a\n');
});

it('processes - one that does not start has a reason, and can be ended anyway', async () => {
  const missing = new RunningProcess('/no/such/program', []);
  const { code, failure } = await missing.end('SIGTERM');
  expect(code).toBeNull();
  expect(failure).toContain('ENOENT');
});

it('processes - one that runs is written to, is signalled, and shows what it wrote so far', async () => {
  await using running = new RunningProcess(
    ...node(`process.stdin.on('data', (text) => process.stdout.write('got ' + text));`),
    { openInput: true },
  );
  running.write('one\n');
  await running.wrote;
  await eventually(() => expect(running.lines).toEqual(['got one']));
  expect(running.finished).toBeUndefined();
  expect(await running.end('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM', out: 'got one\n' });
});

it('processes - the environment is added to ours, or all there is', async () => {
  const script = `console.log(process.env.PATH === undefined, process.env.A)`;
  expect(await run(...node(script), { env: { A: '1' } })).toBe('false 1\n');
  expect(await run(...node(script), { env: { A: '1' }, extendEnv: false })).toBe('true 1\n');
});
