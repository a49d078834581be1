import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Metric,
  legacyMetrics,
  tidemarkMetrics,
  workerGauges,
} from '../../../src/adapters/prometheus/metric-names.js';
import { driftMetric } from '../../../src/service/http/drift-metric.js';
import { describeWith } from '../../support/describe-with.js';
import { outcomeOf } from '../../support/processes.js';
import { root } from '../../support/root.js';
import { serverBinary } from '../../support/server-binary.js';

const rulesPath = join(root, 'examples/prometheus/tidemark.rules.yml');
const dashboardPath = join(root, 'examples/grafana/tidemark.json');
const sets: readonly Readonly<Record<string, Metric>>[] = [workerGauges, tidemarkMetrics, legacyMetrics];
const known = new Set(
  [...sets.flatMap((metrics) => Object.values(metrics)), driftMetric].map(({ name }) => name),
);

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

/** The metrics that a text names and that do not exist. */
function unknownMetrics(text: string): string[] {
  const named = text.match(/\b(?:tidemark|dynamo|llm)_[a-z0-9_]+/g) ?? [];
  return [...new Set(named)].filter((name) => !known.has(name));
}

async function promtool(...args: string[]): Promise<string> {
  const found = await serverBinary('promtool');
  if ('missing' in found) throw new Error(found.missing);
  const { code, out, err } = await outcomeOf(found.path, args);
  if (code !== 0) throw new Error(out + err);
  return out + err;
}

describe('the examples', () => {
  it('name only existing metrics', async () => {
    for (const path of [rulesPath, dashboardPath]) {
      const text = await readFile(path, 'utf8');
      expect(unknownMetrics(text), path).toEqual([]);
      expect(text.match(/\btidemark_[a-z]/g)?.length).toBeGreaterThan(5);
    }
  });

  it('are searched for others', () => {
    expect(
      unknownMetrics('rate(tidemark_made_up_total[5m]) > dynamo_frontend_worker_active_decode_blocks'),
    ).toEqual(['tidemark_made_up_total']);
  });

  it('have a dashboard whose panels have unique ids', async () => {
    const { panels } = JSON.parse(await readFile(dashboardPath, 'utf8')) as Dashboard;
    expect(panels.length).toBeGreaterThan(5);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { targets, title } of panels) expect(targets.length, title).toBeGreaterThan(0);
  });
});

describeWith('promtool', 'the examples, by promtool', () => {
  it('the rules are rules', async () => {
    expect(await promtool('check', 'rules', rulesPath)).toMatch(/SUCCESS: 11 rules found/);
  });

  it('the alerts fire when they should, and not before', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-rules-'));
    try {
      const path = join(folder, 'test.json');
      await writeFile(path, JSON.stringify(alertTests()));
      expect(await promtool('test', 'rules', path)).toMatch(/SUCCESS/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('the queries of the dashboard are queries', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-rules-'));
    try {
      const { panels } = JSON.parse(await readFile(dashboardPath, 'utf8')) as Dashboard;
      // Grafana replaces its variable with an interval.
      const queries = panels.flatMap(({ targets }) =>
        targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m')),
      );
      const rules = queries.map((expr, index) => ({ record: `panel:${index}`, expr }));
      const path = join(folder, 'panels.json');
      await writeFile(path, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
      expect(await promtool('check', 'rules', path)).toContain(`SUCCESS: ${queries.length} rules found`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** Tests of the alerts, as promtool takes them. */
function alertTests(): unknown {
  const pool = 'pool="a"';
  /** The workers of a pool by state. */
  const states = (values: Readonly<Record<'workers' | 'busy' | 'free' | 'unknown', string>>, labels = pool) =>
    Object.entries(values).map(([state, samples]) => ({
      series: `tidemark_pool_workers{${labels},state="${state}"}`,
      values: samples,
    }));
  const test = (
    input_series: readonly { series: string; values: string }[],
    alertname: string,
    fires: Readonly<Record<string, number>>,
  ) => ({
    interval: '1m',
    input_series,
    // How many fire is asked of what Prometheus keeps about its alerts.
    promql_expr_test: Object.entries(fires).map(([eval_time, count]) => ({
      expr: `count(ALERTS{alertname="${alertname}",alertstate="firing"})`,
      eval_time,
      exp_samples: count === 0 ? [] : [{ labels: '{}', value: count }],
    })),
  });
  return {
    rule_files: [rulesPath],
    evaluation_interval: '1m',
    tests: [
      test(
        [{ series: `tidemark_monitor_connected{${pool}}`, values: '1 1 0 0 0' }],
        'TidemarkMonitorStopped',
        {
          '1m': 0,
          '4m': 1,
        },
      ),
      test(
        states({ workers: '2 2 2 2 2', busy: '1 2 2 2 1', free: '1 0 0 0 1', unknown: '0x4' }),
        'TidemarkAllWorkersBusy',
        { '0m': 0, '3m': 1, '4m': 0 },
      ),
      ...['TidemarkAllWorkersBusy', 'TidemarkPoolUnknown'].map((alert) =>
        test(states({ workers: '0x10', busy: '0x10', free: '0x10', unknown: '0x10' }), alert, { '9m': 0 }),
      ),
      test(
        states({ workers: '2x10', busy: '1x10', free: '0x10', unknown: '1x10' }),
        'TidemarkAllWorkersBusy',
        {
          '9m': 0,
        },
      ),
      test(states({ workers: '0x10', busy: '0x10', free: '0x10', unknown: '0x10' }), 'TidemarkNoWorkers', {
        '3m': 0,
        '6m': 1,
      }),
      // The sources belong to no pool, and have no workers.
      test(
        states({ workers: '0x10', busy: '0x10', free: '0x10', unknown: '0x10' }, 'pool="",model=""'),
        'TidemarkNoWorkers',
        { '9m': 0 },
      ),
      test(
        states({ workers: '2x20', busy: '0x20', free: '0x9 1x10', unknown: '2x9 1x10' }),
        'TidemarkPoolUnknown',
        { '3m': 0, '7m': 1, '12m': 0 },
      ),
      test(
        [{ series: `tidemark_worker_busy_since_timestamp_seconds{${pool},worker_id="7"}`, values: '60x40' }],
        'TidemarkWorkerBusyForLong',
        { '30m': 0, '32m': 1 },
      ),
      test(
        [
          { series: `tidemark_source_state{${pool},source="loads",state="down"}`, values: '0 1 1 1 0' },
          { series: `tidemark_source_state{${pool},source="loads",state="live"}`, values: '1 0 0 0 1' },
        ],
        'TidemarkSourceNotLive',
        { '0m': 0, '3m': 1, '4m': 0 },
      ),
      test(
        [
          {
            series: `tidemark_rank_signal_age_seconds{${pool},worker_id="7",dp_rank="0"}`,
            values: '10+60x10',
          },
          { series: `tidemark_rank_signal_age_seconds{${pool},worker_id="7",dp_rank="1"}`, values: '0x10' },
        ],
        'TidemarkSignalsOld',
        { '1m': 0, '5m': 1 },
      ),
      test(
        [
          { series: `tidemark_transitions_total{${pool},check="left",direction="free"}`, values: '0+60x20' },
          { series: `tidemark_pool_workers{${pool},state="workers"}`, values: '5x20' },
        ],
        'TidemarkFlapping',
        { '2m': 0, '15m': 1 },
      ),
      test(
        [
          { series: `tidemark_load_messages_missing_total{${pool},detached="false"}`, values: '0 0 3 3 3' },
          { series: `tidemark_load_messages_missing_total{${pool},detached="true"}`, values: '0 9 9 9 9' },
        ],
        'TidemarkLoadsLost',
        { '1m': 0, '3m': 1 },
      ),
      test(
        [
          { series: `tidemark_problems_total{${pool},code="undecodable"}`, values: '0 0 1 1' },
          { series: `tidemark_problems_total{${pool},code="unknown-worker"}`, values: '0 5 9 9' },
        ],
        'TidemarkProblems',
        { '1m': 0, '3m': 1 },
      ),
    ],
  };
}
