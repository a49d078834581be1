import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type Metric,
  legacyMetrics,
  tidemarkMetrics,
  workerGauges,
} from '../../../src/adapters/prometheus/metric-names.js';

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
