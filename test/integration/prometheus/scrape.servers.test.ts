import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Registry } from 'prom-client';
import { of, Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { contentTypeFor } from '../../../src/adapters/prometheus/content-type-for.js';
import { poolMetrics, type PoolMetrics } from '../../../src/adapters/prometheus/pool-metrics.js';
import { registryMetrics } from '../../../src/adapters/prometheus/registry-metrics.js';
import { renderMetrics } from '../../../src/adapters/prometheus/render-metrics.js';
import { WorkerLatencies } from '../../../src/adapters/prometheus/worker-latencies.js';
import type { FleetEvent } from '../../../src/core/events/fleet-event.js';
import { loadMonitor, type LoadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import { policies } from '../../../src/core/policy/policies.js';
import { problemCodes } from '../../../src/core/sources/problem.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { id, load } from '../../support/fleet.js';
import { startPrometheus } from '../../support/prometheus-server.js';
import { root } from '../../support/root.js';

/** Two workers, one of which is busy at first. */
function fleet(): { monitor: LoadMonitor; pool: PoolMetrics; emit: (...events: FleetEvent[]) => void } {
  const events$ = new Subject<FleetEvent>();
  const latencies = new WorkerLatencies();
  const monitor = loadMonitor(
    { events: events$, decodeInstances: of([id(7), id('18446744073709551615')]) },
    { policy: policies.default, thresholds: { activePrefillTokensThreshold: 100 } },
  );
  const pool = poolMetrics(monitor, {
    labels: { pool: 'llama "3" \\ 模' },
    latencies,
    legacy: {
      component: 'backend',
      endpoint: 'generate',
      hitRate: () => ({ islBlocks: 2, overlapBlocks: 1 }),
    },
  });
  const emit = (...events: FleetEvent[]): void => events.forEach((event) => events$.next(event));
  monitor.connect();
  emit(
    load({ activePrefillTokens: 1, activeDecodeBlocks: 2 ** 53 }),
    load({ workerId: id('18446744073709551615'), activePrefillTokens: 101, kvUsedBlocks: 5 }),
  );
  latencies.firstToken({ workerId: id(7), workerType: 'decode' }, 0.25, 12);
  return { monitor, pool, emit };
}

/** Serves pages on a free port; what was asked for is noted. */
async function serve(
  page: (accept: string | undefined) => Page,
): Promise<{ target: string; formats: Set<string>; server: Server }> {
  const formats = new Set<string>();
  const server = createServer((request, response) => {
    const { contentType, chunks } = page(request.headers.accept);
    formats.add(contentType);
    response.setHeader('content-type', contentType);
    pipeline(chunks, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { target: `127.0.0.1:${(server.address() as AddressInfo).port}`, formats, server };
}

interface Page {
  readonly contentType: string;
  readonly chunks: AsyncIterable<Uint8Array | string>;
}

describeWith('prometheus', 'a real Prometheus', () => {
  it.each(['as it asks', 'as text'])(
    'scrapes pages, %s, and a query returns the busy workers, whole and exact',
    async (how) => {
      const { pool, emit } = fleet();
      const counting = pool.counting$.subscribe();
      const { target, formats, server } = await serve((accept) => {
        const { format, contentType } = contentTypeFor(how === 'as text' ? undefined : accept);
        return { contentType, chunks: renderMetrics([pool], { format }) };
      });
      try {
        await using prometheus = await startPrometheus(
          [target],
          [join(root, 'examples/prometheus/tidemark.rules.yml')],
        );
        const busy = (): Promise<string[]> =>
          prometheus
            .query('tidemark_worker_busy == 1')
            .then((samples) => samples.map(({ metric }) => `${metric['pool']} ${metric['worker_id']}`));
        await eventually(async () => expect(await busy()).toEqual(['llama "3" \\ 模 18446744073709551615']));
        expect(await prometheus.targets()).toEqual([{ health: 'up', lastError: '' }]);
        expect([...formats]).toEqual([
          how === 'as text'
            ? 'text/plain; version=0.0.4; charset=utf-8'
            : 'application/openmetrics-text; version=1.0.0; charset=utf-8',
        ]);
        const one = async (query: string): Promise<string | undefined> =>
          (await prometheus.query(query))[0]?.value;
        expect(await one('dynamo_frontend_worker_active_decode_blocks{dp_rank="0",worker_id="7"}')).toBe(
          String(2 ** 53),
        );
        expect(await one('dynamo_frontend_worker_last_time_to_first_token_seconds{dp_rank="none"}')).toBe(
          '0.25',
        );
        expect(await one('count(up) + on() count(tidemark_problems_total)')).toBe(
          `${1 + problemCodes.length + 1}`,
        );
        const hitRate = how === 'as text' ? 'llm_kv_hit_rate_isl_blocks' : 'llm_kv_hit_rate_isl_blocks_total';
        expect(await one(hitRate)).toBe('2');

        // The worker is free again, the other one leaves: the series ends.
        emit(load({ workerId: id('18446744073709551615'), activePrefillTokens: 0 }), {
          kind: 'instance',
          workerId: id(7),
          present: false,
        });
        await eventually(async () => expect(await busy()).toEqual([]));
        await eventually(async () =>
          expect(
            (await prometheus.query('tidemark_worker_busy')).map(({ metric }) => metric['worker_id']),
          ).toEqual(['18446744073709551615']),
        );
        expect(await prometheus.query('{worker_id="7"}')).toEqual([]);
      } finally {
        counting.unsubscribe();
        server.close();
      }
    },
  );

  it('scrapes a user’s registry with the same outcome', async () => {
    const { pool } = fleet();
    const registry = new Registry();
    const collecting = registryMetrics(registry, [pool]).subscribe();
    const { target, server } = await serve(() => ({
      contentType: registry.contentType,
      chunks: (async function* () {
        yield await registry.metrics();
      })(),
    }));
    try {
      await using prometheus = await startPrometheus([target]);
      await eventually(async () =>
        expect(
          (await prometheus.query('tidemark_worker_busy == 1')).map(({ metric }) => metric['worker_id']),
        ).toEqual(['18446744073709551615']),
      );
      expect(await prometheus.targets()).toEqual([{ health: 'up', lastError: '' }]);
    } finally {
      collecting.unsubscribe();
      server.close();
    }
  });
});
