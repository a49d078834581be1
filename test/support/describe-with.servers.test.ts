import { describe, it } from 'vitest';
import { runMadeUpTest } from './run-made-up-test.js';

const suite = `
import { describeWith } from 'support/describe-with.ts';
describe('around', () => {
  describeWith(['etcd', 'openssl'], 'a source', () => {
    beforeAll(() => { throw new Error('a hook of a skipped suite'); });
    it('one', () => {});
    it('two', () => {});
  });
  describeWith([], 'what needs nothing', () => { it('three', () => {}); });
});
`;

describe.concurrent('a suite whose programs are missing', () => {
  const nothing = { PATH: '', XDG_CACHE_HOME: '/nowhere' };
  const reason = 'etcd is not installed, and there is no apt-get to fetch it with; openssl is not installed';

  it('is skipped with the reason, and counted as skipped', async ({ expect }) => {
    const { err, last } = await runMadeUpTest(suite, nothing);
    expect(last).toBe('1 passed, 0 failed, 2 skipped');
    expect(err).toContain(`skipped: a source: ${reason}`);
  });

  it('fails where CI is true', async ({ expect }) => {
    const { out, err, last } = await runMadeUpTest(suite, { ...nothing, CI: 'true' });
    expect(last).toBe('1 passed, 1 failed, 2 skipped');
    expect(out).toContain('has what it needs');
    expect(err).toContain(reason);
  });
});
