import { describe, expect, it } from 'vitest';
import { processedEndpointsText } from '../../../src/cli/stats/recorded-stats.js';
import { type AggregatorPolicy, aggregatorPolicies } from '../../../src/core/aggregator/aggregator-policy.js';
import { ProcessedEndpoints } from '../../../src/core/aggregator/processed-endpoints.js';
import { readScrape, type ScrapeResult } from '../../../src/core/aggregator/read-scrape.js';
import { decodeServiceStats } from '../../../src/wire/services/service-stats.js';
import { hex } from '../../support/hex.js';
import { aggregatorCases, camelCase } from './aggregator-cases.js';

const { compat } = aggregatorPolicies;
const read = (replies: readonly string[], policy: AggregatorPolicy = compat): ScrapeResult =>
  readScrape(
    replies.map((reply) => decodeServiceStats(hex(reply), policy.wire)),
    { service: 'dynamo_backend', endpoint: 'load_metrics', policy },
  );

/** What we make of the replies, as the captures write it: without what the Python face of the original leaves out. */
function decision(replies: readonly string[]): unknown {
  const snapshot = ProcessedEndpoints.of(read(replies).endpoints, compat.entries);
  return JSON.parse(processedEndpointsText(snapshot), (key, value: unknown) =>
    key === 'dataParallelRank' || key === 'specDecodeStats' ? undefined : value,
  );
}

const cases = [...aggregatorCases('0.5.1'), ...aggregatorCases('0.6.0'), ...aggregatorCases('0.6.0', true)];

describe('aggregator - every recorded decision holds under compat', () => {
  it.each(cases.filter(({ panicked }) => panicked !== true))('$case', ({ replies_hex, result }) => {
    expect(decision(replies_hex)).toEqual(camelCase(result));
  });

  const panics = cases.filter(({ panicked }) => panicked === true);
  it('some subjects crash the original', () => {
    expect(panics.length).toBeGreaterThan(5);
  });

  it.each(panics)('$case - is reported, and the others go on', ({ replies_hex }) => {
    const { endpoints, problems } = read(replies_hex);
    expect(problems.map(({ code }) => code)).toEqual(['malformed-worker-id']);
    expect(endpoints.map(({ workerId }) => workerId)).toEqual(['17']);
  });
});

describe('aggregator - what the original does not take is taken by default, or reported', () => {
  it.each(cases)('$case', ({ replies_hex }) => {
    const ids = ({ endpoints }: ScrapeResult): string[] => endpoints.map(({ workerId }) => workerId);
    const strict = read(replies_hex);
    const lenient = read(replies_hex, aggregatorPolicies.default);
    // What only begins like the endpoint's subject is the one thing that the original takes and we do not.
    const begins = strict.endpoints.filter(
      ({ subject }) => !/load_metrics(?:-\+?[0-9a-fA-F]+)?$/.test(subject),
    );
    const alike = begins.map(({ workerId }) => workerId as string);
    expect(ids(lenient)).toEqual(expect.arrayContaining(ids(strict).filter((id) => !alike.includes(id))));
    if (ids(strict).length < ids(lenient).length) expect(strict.problems).not.toEqual([]);
  });
});
