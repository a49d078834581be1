import { Turn } from '../clock/turn.js';
import type { MetricsFormat } from './content-type-for.js';
import { familiesOf } from './families.js';
import { poolsAtScrape } from './metric-family.js';
import { PageWriter } from './page-writer.js';
import type { PoolMetrics } from './pool-metrics.js';

/**
 * Renders the metrics of pools as a page, in chunks of about 32 KiB. Other callbacks can run between chunks, so loads are
 * processed while the page of a large fleet is rendered.
 *
 * 1. All values are of the moment when the first chunk is requested.
 * 2. The consumer may keep a chunk. A slow consumer blocks nothing, and one that stops early ends the rendering.
 * 3. An `openmetrics` page ends with `# EOF`, and its counters end in `_total`, as the format requires.
 *
 * @throws MetricsOptionsError, at the first chunk, if two pools have the same labels.
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
    const rendering = samples(scrape, page);
    while (rendering.next().done !== true) {
      if (!page.full && !turn.isOver) continue;
      if (page.full) yield page.take();
      await turn.next();
    }
  }
  if (format === 'openmetrics') page.line('# EOF');
  if (page.length > 0) yield page.take();
}
