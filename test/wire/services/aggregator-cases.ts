import { captureLines } from '../captures.js';

/** The result of the real aggregator for the replies of one scrape. Numbers are as `JSON.parse` reads them. */
export interface AggregatorCase {
  readonly case: string;
  readonly replies_hex: readonly string[];
  readonly result: AggregatorResult;
  /** A subject crashed the task of the aggregator, and the result is its state before the first scrape. */
  readonly panicked?: boolean;
}

interface AggregatorResult {
  readonly load_avg: string;
  readonly load_std: string;
  readonly endpoints: readonly ({ readonly worker_id: string } & Readonly<Record<string, unknown>>)[];
}

/** The recorded decisions of a release's aggregator; `edges` are those at the edges of what its reader takes. */
export function aggregatorCases(release: string, edges = false): readonly AggregatorCase[] {
  return captureLines(`${release}/aggregator_${edges ? 'edges_' : ''}oracle.jsonl`);
}

/** A recorded result with tidemark's names, endpoints sorted by id, and null for NaN and infinities. */
export function camelCase({ load_avg, load_std, endpoints }: AggregatorResult): object {
  const byNumber = [...endpoints].sort((a, b) => (BigInt(a.worker_id) < BigInt(b.worker_id) ? -1 : 1));
  return {
    loadAvg: finite(load_avg),
    loadStd: finite(load_std),
    endpoints: byNumber.map((endpoint) =>
      Object.fromEntries(
        Object.entries(endpoint).map(([name, value]) => [
          camel(name),
          value === 'inf' || value === '-inf' ? null : value,
        ]),
      ),
    ),
  };
}

function finite(text: string): number | null {
  return text === 'nan' ? null : Number(text);
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
