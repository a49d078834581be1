import { describe, expect, it } from 'vitest';
import { outcomeOf } from './support/processes.js';
import { root } from './support/root.js';

/** The commands that no other nightly test runs. */
describe('the long commands', () => {
  it.each([
    'test:long',
    'soak -- --etcd --minutes 3 --seed 1',
    'soak -- --nats --minutes 3 --seed 1',
    'soak -- --minutes 3 --seed 1',
    'bench',
    'bench -- nats',
    'bench -- scrape',
  ])('npm run %s', async (command) => {
    const args = ['run', '--silent', ...command.split(' ')];
    const { code, out, err } = await outcomeOf('npm', args, { cwd: root });
    expect(code, out + err).toBe(0);
  });
});
