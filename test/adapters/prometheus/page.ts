import type { MetricsFormat } from '../../../src/adapters/prometheus/content-type-for.js';
import type { PoolMetrics } from '../../../src/adapters/prometheus/pool-metrics.js';
import { renderMetrics } from '../../../src/adapters/prometheus/render-metrics.js';

/** A whole page as text. */
export async function pageOf(pools: readonly PoolMetrics[], format: MetricsFormat = 'text'): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of renderMetrics(pools, { format })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The samples of a page: each series and its value. */
export function samplesOf(page: string): Map<string, string> {
  const samples = new Map<string, string>();
  for (const line of page.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const at = line.lastIndexOf(' ');
    const series = line.slice(0, at);
    if (samples.has(series)) throw new Error(`duplicate series ${series}`);
    samples.set(series, line.slice(at + 1));
  }
  return samples;
}

/** The samples of one metric. */
export function samplesNamed(page: string, name: string): [string, string][] {
  return [...samplesOf(page)].filter(([series]) => series === name || series.startsWith(`${name}{`));
}
