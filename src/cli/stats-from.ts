import type { Readable } from 'node:stream';
import { aggregatorPolicies } from '../core/aggregator/aggregator-policies.js';
import { ProcessedEndpoints } from '../core/aggregator/processed-endpoints.js';
import { readScrape, type ScrapeReading } from '../core/aggregator/read-scrape.js';
import { decodeServiceStats } from '../wire/decode-service-stats.js';
import { hexBytes } from '../wire/hex.js';
import { exitCode } from './exit-code.js';
import { inputLines } from './input-lines.js';
import { processedEndpointsText } from './processed-endpoints-text.js';
import type { Terminal } from './terminal.js';

/** What `tidemark stats --from` needs to know. */
export interface StatsFromOptions {
  /** JSON Lines, `-` for standard input. */
  readonly from: string;
  readonly service: string;
  readonly endpoint: string;
  readonly compat?: boolean;
}

/**
 * `tidemark stats --from`: the replies of one scrape a line in, its snapshot as one JSON object a line out, in the same
 * order. What was wrong with replies goes to standard error; a line that is none is an object with `error`.
 */
export async function statsFrom(
  { from, service, endpoint, compat = false }: StatsFromOptions,
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
    terminal.out(processedEndpointsText(ProcessedEndpoints.of(endpoints, policy.duplicates)));
  }
  return exitCode.ok;
}

/** The replies of a line, or what is wrong with it. */
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
  const replies = line.replies_hex.map((reply) => (typeof reply === 'string' ? hexBytes(reply) : undefined));
  const known = replies.filter((reply) => reply !== undefined);
  return known.length === replies.length ? known : 'every reply in replies_hex must be hexadecimal';
}
