import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregatorPolicies } from '../../../src/core/aggregator/aggregator-policy.js';
import { ProcessedEndpoints } from '../../../src/core/aggregator/processed-endpoints.js';
import { readScrape, type ScrapeResult } from '../../../src/core/aggregator/read-scrape.js';
import { decodeServiceStats, type ServiceStats } from '../../../src/wire/services/service-stats.js';
import { publishedMetrics, type PublishedMetrics } from '../../support/published-metrics.js';
import { metricsOf, statsReply } from '../../support/scraped.js';
import { capturedReplies } from './captured-services.js';
import { captureLines } from '../captures.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const { compat, default: ours } = aggregatorPolicies;

function stats(reply: Uint8Array): ServiceStats {
  const decoded = decodeServiceStats(reply);
  if ('error' in decoded) throw new Error(decoded.error.message);
  return decoded;
}

describe('decodeServiceStats - captured replies', () => {
  const replies = capturedReplies().filter(({ subject }) => subject.startsWith('$SRV.STATS'));

  it('every STATS reply decodes, with its counters', () => {
    expect(replies.length).toBeGreaterThan(20);
    for (const { payload } of replies) {
      const { name, endpoints } = stats(payload);
      expect(name).toMatch(/^dynamo_/);
      for (const {
        subject,
        numRequests,
        lastError,
        queueGroup,
        processingTime,
        data,
        metrics,
      } of endpoints) {
        expect({ numRequests, lastError, queueGroup, processingTime }).toEqual({
          numRequests: expect.any(Number) as number,
          lastError: '',
          queueGroup: 'q',
          processingTime: expect.any(Number) as number,
        });
        const isMetrics = subject.includes('.load_metrics');
        expect([data !== null, metrics !== null]).toEqual([isMetrics, isMetrics]);
      }
    }
  });

  it.each(['0.5.1', '0.6.0'])('%s - what two workers had published is what they answer', (release) => {
    const line = captureLines<{ stage: string; published: Published[] }>(
      `${release}/workers/aggregator.jsonl`,
    );
    const published = line.find(({ stage }) => stage === 'two workers')?.published ?? [];
    const answered = replies
      .filter((one) => one.release === release && one.stage === 'two workers')
      .flatMap(({ payload }) => stats(payload).endpoints.flatMap(({ metrics }) => metrics ?? []));
    expect(published).toHaveLength(2);
    for (const { spec, ...metrics } of published)
      expect(answered).toContainEqual({
        ...publishedMetrics(metrics),
        specDecodeStats: spec && {
          numSpecTokens: spec.num_spec_tokens,
          numDrafts: spec.num_drafts,
          numDraftTokens: spec.num_draft_tokens,
          numAcceptedTokens: spec.num_accepted_tokens,
          numAcceptedTokensPerPos: spec.num_accepted_tokens_per_pos,
        },
      });
  });

  it.each(['0.5.1', '0.6.0'])(
    '%s - the statistics of every stage equal those of the real aggregator',
    (release) => {
      const results = captureLines<{ stage: string; result: { load_avg?: string; load_std?: string } }>(
        `${release}/workers/aggregator.jsonl`,
      ).filter(({ result }) => result.load_avg !== undefined);
      expect(results.length).toBeGreaterThan(5);
      for (const { stage, result } of results) {
        const here = replies.filter(
          (one) => one.release === release && one.stage === stage && one.subject.endsWith('.dynamo_backend'),
        );
        const read = scraped(
          here.map(({ payload }) => payload),
          compat,
        );
        const { loadAvg, loadStd } = ProcessedEndpoints.of(read.endpoints, compat.entries);
        expect([stage, loadAvg, loadStd]).toEqual([stage, Number(result.load_avg), Number(result.load_std)]);
      }
    },
  );

  it('a static worker is worker 0, and the original ignores it', () => {
    const reply = replies.find(({ payload }) => stats(payload).name === 'dynamo_static-comp');
    const read = (policy: typeof compat | typeof ours): ScrapeResult =>
      readScrape(reply ? [decodeServiceStats(reply.payload, policy.wire)] : [], {
        service: 'dynamo_static-comp',
        endpoint: 'load_metrics',
        policy,
      });
    expect(read(ours).endpoints.map(({ workerId }) => workerId)).toEqual(['0']);
    expect(read(compat)).toMatchObject({ endpoints: [], problems: [{ code: 'malformed-worker-id' }] });
  });
});

describe('decodeServiceStats - services of others', () => {
  const js =
    '{"type":"io.nats.micro.v1.stats_response","name":"shop","id":"X","version":"1.2.3","started":"2026-01-01T00:00:00Z",' +
    '"metadata":{},"endpoints":[{"name":"cart","subject":"shop.cart","queue_group":"q","num_requests":3,"num_errors":0,' +
    '"processing_time":4500000.5,"average_processing_time":1500000.1666,"data":{ "items": [1, "é"] }}]}';

  it('absent values are null, fractions are kept, and the data is unchanged', () => {
    expect(stats(bytes(js)).endpoints).toMatchObject([
      {
        numRequests: 3,
        processingTime: 4500000.5,
        averageProcessingTime: 1500000.1666,
        lastError: null,
        data: '{ "items": [1, "é"] }',
        metrics: null,
        unread: { code: 'missing-field' },
      },
    ]);
  });

  it('an engine behind such a service is accepted by default', () => {
    const reply = new TextDecoder().decode(statsReply('16', metricsOf(40)));
    const without = bytes(reply.replaceAll('"last_error":"",', ''));
    expect(scraped([without], ours).endpoints).toHaveLength(1);
    expect(scraped([without], compat)).toMatchObject({ endpoints: [], problems: [{ code: 'undecodable' }] });
  });
});

function scraped(replies: readonly Uint8Array[], policy: typeof compat | typeof ours): ScrapeResult {
  return readScrape(
    replies.map((reply) => decodeServiceStats(reply, policy.wire)),
    { service: 'dynamo_backend', endpoint: 'load_metrics', policy },
  );
}

describe('decodeServiceStats - arbitrary input', () => {
  const fleet = [10, 20, 30, 40].map((load, at) => statsReply(String(at + 1), metricsOf(load)));
  const whole = scraped(fleet, ours).endpoints;
  const one = fleet[0] ?? new Uint8Array();

  it('every truncation of a reply is an error, and costs that reply', () => {
    for (let length = 0; length < one.length; length += 1) {
      const { endpoints, problems } = scraped([...fleet.slice(1), one.subarray(0, length)], ours);
      expect(endpoints).toEqual(whole.slice(1));
      expect(problems.map(({ code }) => code)).toEqual(['undecodable']);
    }
  });

  it('property - garbage for any of the replies costs that reply', () => {
    fc.assert(
      fc.property(fc.nat(3), fc.oneof(fc.uint8Array(), fc.string().map(bytes)), (at, garbage) => {
        const { endpoints, problems } = scraped(
          fleet.map((reply, index) => (index === at ? garbage : reply)),
          ours,
        );
        expect(endpoints).toEqual(whole.filter((_, index) => index !== at));
        expect(problems).toHaveLength(1);
      }),
    );
  });

  it('property - one byte that is another never costs more than its reply', () => {
    fc.assert(
      fc.property(fc.nat(one.length - 1), fc.nat(255), (at, byte) => {
        const bent = one.slice();
        bent[at] = byte;
        expect(scraped([bent, ...fleet.slice(1)], ours).endpoints.slice(-3)).toEqual(whole.slice(1));
      }),
    );
  });

  it('property - in another order it is the same fleet', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(fleet, { minLength: 4 }), (shuffled) => {
        const snapshot = ProcessedEndpoints.of(scraped(shuffled, ours).endpoints);
        expect(snapshot.equals(ProcessedEndpoints.of(whole))).toBe(true);
      }),
    );
  });

  it('property - a duplicate reply counts once by default and is reported', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }), (again) => {
        const { endpoints, problems } = scraped([...fleet, ...again.flatMap((at) => fleet[at] ?? [])], ours);
        expect(ProcessedEndpoints.of(endpoints).equals(ProcessedEndpoints.of(whole))).toBe(true);
        expect(problems.reduce((sum, { count }) => sum + count, 0)).toBe(again.length);
      }),
    );
  });
});

interface Published extends PublishedMetrics {
  readonly spec:
    | (Readonly<
        Record<'num_spec_tokens' | 'num_drafts' | 'num_draft_tokens' | 'num_accepted_tokens', number>
      > & {
        readonly num_accepted_tokens_per_pos: readonly number[];
      })
    | null;
}
