import type { Readable } from 'node:stream';
import { aggregatorPolicies } from '../../core/aggregator/aggregator-policy.js';
import type { Endpoint } from '../../core/aggregator/load-metrics.js';
import { ProcessedEndpoints } from '../../core/aggregator/processed-endpoints.js';
import { type ScrapeReading, readScrape } from '../../core/aggregator/read-scrape.js';
import { decodeServiceStats } from '../../wire/services/service-stats.js';
import { parseHex } from '../../wire/text-codecs.js';
import { inputLines } from '../read-input.js';
import { type Terminal, exitCode } from '../terminal.js';

/** The options of `tidemark stats --from`. */
export interface RecordedStatsOptions {
  /** A file of JSON Lines; `-` is standard input. */
  readonly from: string;
  readonly service: string;
  readonly endpoint: string;
  /** Whether replies are judged exactly as by Dynamo's aggregator. */
  readonly compat: boolean;
}

/**
 * `tidemark stats --from`: reads the replies of one scrape per line, and prints its snapshot as one JSON object per line,
 * in the same order. Problems of replies go to standard error; a malformed line gives an object with `error`.
 */
export async function recordedStatsCommand(
  { from, service, endpoint, compat }: RecordedStatsOptions,
  terminal: Terminal,
  standardInput: Readable,
): Promise<number> {
  const policy = compat ? aggregatorPolicies.compat : aggregatorPolicies.default;
  const reading: ScrapeReading = { service, endpoint, policy };
  for await (const { text, number } of inputLines(from, standardInput)) {
    const replies = repliesOf(text);
    if (typeof replies === 'string') {
      terminal.out(JSON.stringify({ error: { code: 'malformed', message: replies } }));
      continue;
    }
    const decoded = replies.map((reply) => decodeServiceStats(reply, policy.wire));
    const { endpoints, problems } = readScrape(decoded, reading);
    for (const problem of problems) terminal.err(`line ${number}: ${problem.text}`);
    terminal.out(processedEndpointsText(ProcessedEndpoints.of(endpoints, policy.entries)));
  }
  return exitCode.ok;
}

/** The replies in a line, or the reason why the line is malformed. */
function repliesOf(text: string): readonly Uint8Array[] | string {
  let line: { readonly replies_hex?: unknown } | null;
  try {
    line = JSON.parse(text) as typeof line;
  } catch {
    return 'a line must be a JSON object';
  }
  if (typeof line !== 'object' || line === null) return 'a line must be a JSON object';
  if (!Array.isArray(line.replies_hex))
    return 'a line needs replies_hex, the replies of one scrape as a list';
  const replies = line.replies_hex.map((reply) => (typeof reply === 'string' ? parseHex(reply) : undefined));
  const known = replies.filter((reply) => reply !== undefined);
  return known.length === replies.length ? known : 'every reply in replies_hex must be hexadecimal';
}

/**
 * A snapshot as one line of JSON: `loadAvg`, `loadStd`, and the `endpoints` in ascending order of worker ids, then of ranks,
 * each with the fields of `ForwardPassMetrics`. Ids are decimal strings, counts are numbers with all their digits, and
 * numbers that JSON cannot express are null.
 */
export function processedEndpointsText({ loadAvg, loadStd, endpoints }: ProcessedEndpoints): string {
  return losslessJson({ loadAvg, loadStd, endpoints: endpoints.map(fieldsOf) });
}

function fieldsOf({ workerId, data }: Endpoint): object {
  if ('predictiveLoadMetrics' in data) return { workerId, ...data.predictiveLoadMetrics };
  const { workerStats, kvStats, specDecodeStats } = data.engineLoadMetrics;
  return { workerId, ...workerStats, ...kvStats, specDecodeStats };
}

/**
 * Like `JSON.stringify`, but a bigint becomes a number with all its digits. A float beyond 2^53 gets an exponent, so that
 * it cannot be mistaken for an exact integer.
 */
function losslessJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Object.is(value, -0)) return '-0.0';
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    return value.toExponential();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(losslessJson).join(',')}]`;
  return `{${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)}:${losslessJson(inner)}`)
    .join(',')}}`;
}
