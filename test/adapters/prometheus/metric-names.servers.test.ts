import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { outcomeOf } from '../../support/processes.js';
import { serverBinary } from '../../support/server-binary.js';

const page = readFileSync(new URL('snapshots/page.txt', import.meta.url), 'utf8');

describeWith('promtool', 'promtool check metrics', () => {
  async function check(metrics: string): Promise<{ code: number | null; complaints: string[] }> {
    const found = await serverBinary('promtool');
    if ('missing' in found) throw new Error(found.missing);
    const { code, out, err } = await outcomeOf(found.path, ['check', 'metrics'], { input: metrics });
    return { code, complaints: `${out}${err}`.trim().split('\n').filter(Boolean) };
  }
  const only = (pattern: RegExp): string =>
    page
      .split('\n')
      .filter((line) => pattern.test(line.replace(/^# \w+ /, '')))
      .map((line) => `${line}\n`)
      .join('');

  it('finds nothing in ours', async () => {
    expect(only(/^tidemark_/).split('\n').length).toBeGreaterThan(50);
    expect(await check(only(/^tidemark_/))).toEqual({ code: 0, complaints: [] });
  });

  it('finds nothing in the five of Dynamo', async () => {
    expect(await check(only(/^dynamo_/))).toEqual({ code: 0, complaints: [] });
  });

  it('finds in the old set what was always wrong with its names', async () => {
    const { complaints } = await check(only(/^llm_/));
    expect(complaints).toMatchInlineSnapshot(`
      [
        "llm_kv_blocks_total non-counter metrics should not have "_total" suffix",
        "llm_kv_hit_rate_isl_blocks counter metrics should have "_total" suffix",
        "llm_kv_hit_rate_overlap_blocks counter metrics should have "_total" suffix",
      ]
    `);
  });

  it('finds what is wrong', async () => {
    const { code, complaints } = await check('# TYPE made_up counter\nmade_up 1\n');
    expect(code).not.toBe(0);
    expect(complaints.join()).toContain('_total');
  });
});
