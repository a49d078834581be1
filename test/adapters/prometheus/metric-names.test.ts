import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import {
  type Metric,
  legacyMetrics,
  tidemarkMetrics,
  workerGauges,
} from '../../../src/adapters/prometheus/metric-names.js';
import { describeWith } from '../../support/describe-with.js';
import { serverBinary } from '../../support/server-binary.js';

const page = readFileSync(new URL('snapshots/page.txt', import.meta.url), 'utf8');
const sets: readonly Readonly<Record<string, Metric>>[] = [workerGauges, tidemarkMetrics, legacyMetrics];
const all = sets.flatMap((metrics) => Object.values(metrics));

describe('the names of metrics', () => {
  it('are unique, and all are on the page of the snapshot', () => {
    const names = all.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect([...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name).sort()).toEqual(names.sort());
  });

  it('of ours follow Prometheus', () => {
    for (const { name, type } of Object.values(tidemarkMetrics)) {
      expect(name).toMatch(/^tidemark_[a-z_]+$/);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
    }
  });

  it.each(['1.0.1', '1.6.1'])(
    'of the worker gauges, types and help texts equal those of Dynamo %s',
    (version) => {
      const captured = readFileSync(
        new URL(`../../fixtures/captures/${version}/kv_router/frontend_metrics.txt`, import.meta.url),
        'utf8',
      ).split('\n');
      for (const { name, type, help, labelNames } of Object.values(workerGauges)) {
        expect(captured).toContain(`# HELP ${name} ${help}`);
        expect(captured).toContain(`# TYPE ${name} ${type}`);
        const series = captured.find((line) => line.startsWith(`${name}{`)) ?? '';
        expect([...series.matchAll(/(\w+)="/g)].map(([, label]) => label)).toEqual(labelNames);
      }
    },
  );
});

describeWith('promtool', 'promtool check metrics', () => {
  async function check(metrics: string): Promise<{ code: number | null; complaints: string[] }> {
    const found = await serverBinary('promtool');
    if ('missing' in found) throw new Error(found.missing);
    const child = spawn(found.path, ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end(metrics);
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
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
