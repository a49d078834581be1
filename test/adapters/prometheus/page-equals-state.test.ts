import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Explanation } from '../../../src/core/judgement/explanation.js';
import { policies, type PolicyName } from '../../../src/core/policy/policies.js';
import type { WorkerId } from '../../../src/core/worker-id.js';
import { anyEvent } from '../../support/any-event.js';
import { id } from '../../support/fleet.js';
import { runs } from '../../support/runs.js';
import { pageOf, samplesOf } from './page.js';
import { TestPool } from './pool.js';

const WORKERS = 4;
const everyone = [
  ...Array.from({ length: WORKERS - 1 }, (_, i) => String(i + 1)),
  '18446744073709551615',
].map(id);

/** The expected samples of a worker, from its explanation. */
function expectedValues(
  { workerId, busy, known, overloadMarked, ranks }: Explanation,
  checks: readonly string[],
): [string, number][] {
  if (!known) return [];
  const above = (check: string): number =>
    check === 'overload-mark'
      ? Number(overloadMarked)
      : ranks.filter((rank) => rank.checks.some((one) => one.check === check && one.standing === 'above'))
          .length;
  const values = (metric: string, check: string): [string, number][] =>
    ranks.flatMap(({ rank, checks }) =>
      checks
        .filter((one) => one.check === check && one.value !== null)
        .map((one): [string, number] => [`${metric} ${workerId} ${rank}`, Number(one.value)]),
    );
  return [
    [`tidemark_worker_busy ${workerId} `, Number(busy)],
    ...checks.map((check): [string, number] => [
      `tidemark_worker_ranks_above_threshold ${workerId} ${check}`,
      above(check),
    ]),
    ...values('dynamo_frontend_worker_active_decode_blocks', 'activeDecodeBlocks'),
    ...values('dynamo_frontend_worker_active_prefill_tokens', 'activePrefillTokens'),
    ...values('tidemark_rank_kv_used_blocks', 'kvUsedBlocks'),
  ];
}

/** The samples of workers on a page, by metric, worker, and rank or check. */
function samplesByKey(page: string): Map<string, number> {
  const actual = new Map<string, number>();
  for (const [series, value] of samplesOf(page)) {
    const [, metric = '', labels = ''] = /^(\w+)\{(.*)\}$/.exec(series) ?? [];
    const label = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    if (label('worker_id') === '' || /since|age/.test(metric)) continue;
    actual.set(`${metric} ${label('worker_id')} ${label('dp_rank')}${label('check')}`, Number(value));
  }
  return actual;
}

// A page costs as much as a thousand events.
const pages = Math.max(200, Math.floor(runs / 100));

it.each(['default', 'dynamo-1.4', 'dynamo-1.6'] satisfies PolicyName[])(
  'after any history a page has exactly the workers and values that the monitor explains: %s',
  { timeout: 600_000 },
  async (name) => {
    const events = fc.array(anyEvent({ workers: WORKERS, maxRanks: 3 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(events, async (history) => {
        const pool = new TestPool(
          {},
          { policy: policies[name], thresholds: { activeDecodeBlocksThreshold: 0.5 } },
        );
        pool.monitor.connect();
        for (const event of history) if (event.kind !== 'stop') pool.apply(event);
        const actual = samplesByKey(await pageOf([pool.metrics]));
        const checksOf = (worker: WorkerId): string[] =>
          [...actual.keys()].flatMap((key) => {
            const [, of, check] = /above_threshold (\d+) ([\w-]+)$/.exec(key) ?? [];
            return of === worker && check !== undefined ? [check] : [];
          });
        const explained = everyone
          .map((one: WorkerId) => pool.monitor.explain(one))
          .filter((one) => one !== undefined);
        const wanted = new Map(explained.flatMap((one) => expectedValues(one, checksOf(one.workerId))));
        expect(actual).toEqual(wanted);
        // Every check that can be made is on the page.
        for (const { workerId, known, ranks } of explained)
          for (const one of known ? ranks.flatMap((rank) => rank.checks) : [])
            if (one.limit !== null) expect(checksOf(workerId)).toContain(one.check);
      }),
      { numRuns: pages },
    );
  },
);
