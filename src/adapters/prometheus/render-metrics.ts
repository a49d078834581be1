import { Turn } from '../clock/turn.js';
import type { MetricsFormat } from './content-type-for.js';
import { familiesOf } from './families.js';
import { poolsAtScrape } from './metric-family.js';
import { PageWriter } from './page-writer.js';
import type { PoolMetrics } from './pool-metrics.js';

/**
 * One page of the metrics of some pools, in chunks of about 32 KiB. Between any two chunks whoever else waits for the
 * event loop has a turn, so that loads flow on while a page of a large fleet is made.
 *
 * 1. The whole page is of one moment, that when its first chunk is asked for: what changes later is on the next page.
 * 2. A chunk is the caller's. A consumer that takes its time holds nobody up; one that breaks off ends the making.
 * 3. `openmetrics` ends with `# EOF`, and counters end in `_total`, as the format demands.
 *
 * @throws MetricsOptionsError, at the first chunk, when two pools have the same labels.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { pipeline } from 'node:stream/promises';
 * import { NEVER } from 'rxjs';
 * import { loadMonitor, policies } from 'tidemark';
 * import { contentTypeFor, poolMetrics, renderMetrics } from 'tidemark/prometheus';
 *
 * const monitor = loadMonitor({ loads: NEVER }, { policy: policies.default });
 * const pools = [poolMetrics(monitor, { labels: { pool: 'llama' } })];
 * const server = createServer((request, response) => {
 *   const { format, contentType } = contentTypeFor(request.headers.accept);
 *   response.setHeader('content-type', contentType);
 *   pipeline(renderMetrics(pools, { format }), response).catch(() => response.destroy());
 * });
 * console.log(server.listening);
 * // Logs: false
 * ```
 *
 * @see {@link poolMetrics}, {@link contentTypeFor}, {@link registryMetrics}
 */
export async function* renderMetrics(
  pools: readonly PoolMetrics[],
  { format = 'text' }: { readonly format?: MetricsFormat } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const scrape = poolsAtScrape(pools);
  const page = new PageWriter(format);
  const turn = new Turn();
  for (const { samples } of familiesOf(pools)) {
    const making = samples(scrape, page);
    while (making.next().done !== true) {
      if (!page.full && !turn.isOver) continue;
      if (page.full) yield page.take();
      await turn.next();
    }
  }
  if (format === 'openmetrics') page.line('# EOF');
  if (page.length > 0) yield page.take();
}
