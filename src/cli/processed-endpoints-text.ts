import type { Endpoint } from '../core/aggregator/endpoint.js';
import type { ProcessedEndpoints } from '../core/aggregator/processed-endpoints.js';

/**
 * A snapshot as one line of JSON: `loadAvg`, `loadStd`, and the `endpoints` by their workers' numbers, each with the
 * fields of `ForwardPassMetrics`. Ids are decimal strings, counts are numbers with all their digits, and what JSON has
 * no number for is null.
 */
export function processedEndpointsText(snapshot: ProcessedEndpoints): string {
  const endpoints = snapshot.workerIds().flatMap((id) => snapshot.endpoints.get(id) ?? []);
  return valueText({
    loadAvg: snapshot.loadAvg,
    loadStd: snapshot.loadStd,
    endpoints: endpoints.map(fieldsOf),
  });
}

function fieldsOf({ workerId, data }: Endpoint): object {
  if ('predictiveLoadMetrics' in data) return { workerId, ...data.predictiveLoadMetrics };
  const { workerStats, kvStats, specDecodeStats } = data.engineLoadMetrics;
  return { workerId, ...workerStats, ...kvStats, specDecodeStats };
}

/**
 * As `JSON.stringify`, which has no text for a bigint. A float beyond 2^53 has an exponent, so that no reader takes its
 * digits for those of an integer; a count as large is a bigint.
 */
function valueText(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Object.is(value, -0)) return '-0.0';
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    return value.toExponential();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(valueText).join(',')}]`;
  return `{${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)}:${valueText(inner)}`)
    .join(',')}}`;
}
