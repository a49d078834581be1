import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../support/processes.js';
import { root } from '../support/root.js';

/** Whether each patch applies, which mutants.nightly.test.ts needs, is noticed here with every change. */
describe('the patches of mutants', () => {
  it.each(readdirSync(import.meta.dirname).filter((file) => file.endsWith('.patch')))(
    '%s applies to the source',
    async (file) => {
      expect(await check(join(import.meta.dirname, file))).toMatchObject({ code: 0, err: '' });
    },
  );

  it('that do not apply are noticed', async () => {
    const stale = ['--- a/package.json', '+++ b/package.json', '@@ -1 +1 @@', '-no such line', '+a line', ''];
    expect(await check('-', stale.join('\n'))).toMatchObject({ code: 1 });
  });
});

/** Files outside the repository are ignored without a word, so a repository around this one must not be found. */
function check(patch: string, input = '') {
  return outcomeOf('git', ['apply', '--check', patch], {
    cwd: root,
    input,
    env: { GIT_CEILING_DIRECTORIES: dirname(root) },
  });
}
