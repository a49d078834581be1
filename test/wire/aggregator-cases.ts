import { captureLines } from './captures.js';

/** What the real aggregator made of the replies of one scrape. Numbers are as `JSON.parse` reads them. */
export interface AggregatorCase {
  readonly case: string;
  readonly replies_hex: readonly string[];
  readonly result: AggregatorResult;
}

interface AggregatorResult {
  readonly load_avg: string;
  readonly load_std: string;
  readonly endpoints: readonly ({ readonly worker_id: string } & Readonly<Record<string, unknown>>)[];
}

/** The recorded decisions of a release's aggregator. */
export function aggregatorCases(release: string): readonly AggregatorCase[] {
  return captureLines(`${release}/aggregator_oracle.jsonl`);
}

/** A recorded decision under our names, endpoints by number. */
export function camelCase({ load_avg, load_std, endpoints }: AggregatorResult): object {
  const byNumber = [...endpoints].sort((a, b) => (BigInt(a.worker_id) < BigInt(b.worker_id) ? -1 : 1));
  return {
    loadAvg: statistic(load_avg),
    loadStd: statistic(load_std),
    endpoints: byNumber.map((endpoint) =>
      Object.fromEntries(Object.entries(endpoint).map(([name, value]) => [camel(name), value])),
    ),
  };
}

function statistic(text: string): number | null {
  return text === 'nan' ? null : Number(text);
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
