import { expect, it } from 'vitest';
import { runMadeUpTest } from './support/run-made-up-test.js';

it('closing line - is last over all lanes, in plain text, after the time of each', async () => {
  const { out, last } = await runMadeUpTest(
    {
      'one.test.ts': `it('passes', () => {}); it.skip('is skipped', () => {});`,
      'two.servers.test.ts': `it('passes', () => {}); it('fails', () => { throw new Error('as it is to'); });`,
      'three.servers.test.ts': `throw new Error('does not load');`,
    },
    { ...process.env, FORCE_COLOR: '1' },
  );
  expect(out).toMatch(/\nlanes: unit \d+\.\d s, servers \d+\.\d s\n.*\n$/);
  expect(last).toBe('2 passed, 2 failed, 1 skipped');
});
