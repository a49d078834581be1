import { describe, expect, it } from 'vitest';
import { aggregatorPolicies } from '../../../src/core/aggregator/aggregator-policy.js';
import { readScrape, workerOfSubject } from '../../../src/core/aggregator/read-scrape.js';
import { decodeServiceStats } from '../../../src/wire/services/service-stats.js';
import { metricsOf, statsReply } from '../../support/scraped.js';

const { compat, default: ours } = aggregatorPolicies;

describe('workerOfSubject', () => {
  it.each([
    ['s.e-10', '16', '16'],
    ['s.e-0010', '16', '16'],
    ['s.e-+10', '16', '16'],
    ['s.e-ABC', '2748', '2748'],
    ['s.e-7fffffffffffffff', '9223372036854775807', '9223372036854775807'],
    ['s.e-8000000000000000', 'malformed', '9223372036854775808'],
    ['s.e-ffffffffffffffff', 'malformed', '18446744073709551615'],
    ['s.e-10000000000000000', 'malformed', 'malformed'],
    ['s.e', 'malformed', '0'],
    ['s.e-', 'malformed', 'malformed'],
    ['s.e-+', 'malformed', 'malformed'],
    ['s.e-xyz', 'malformed', 'malformed'],
    ['s.e- 10', 'malformed', 'malformed'],
    ['s.e2-10', '16', 'foreign'],
    ['s.e-a-10', '16', 'foreign'],
    ['s.extra', 'malformed', 'foreign'],
    ['s2.e-10', 'foreign', 'foreign'],
    ['S.e-10', 'foreign', 'foreign'],
    ['', 'foreign', 'foreign'],
  ])('%s - %s for the original, %s for us', (subject, theirs, mine) => {
    const owner = (policy: typeof compat | typeof ours): string => {
      const found = workerOfSubject(subject, 's.e', policy);
      return typeof found === 'string' ? found : found.workerId;
    };
    expect([owner(compat), owner(ours)]).toEqual([theirs, mine]);
  });
});

describe('readScrape - several entries of one worker', () => {
  const texts = (policy: typeof compat | typeof ours, ...ranks: (number | null)[]): string[] => {
    const replies = ranks.map((rank) =>
      decodeServiceStats(statsReply('16', metricsOf(10, rank)), policy.wire),
    );
    const { endpoints, problems } = readScrape(replies, {
      service: 'dynamo_backend',
      endpoint: 'load_metrics',
      policy,
    });
    expect(endpoints).toHaveLength(ranks.length);
    return problems.map(({ text }) => text);
  };

  it('different ranks are no duplicates, except in the original', () => {
    expect(texts(ours, 0, 1, 2)).toEqual([]);
    expect(texts(compat, 0, 1, 2)).toEqual([
      'worker 16 has 3 entries in one scrape: the last one is used, and all of them count in average and deviation',
    ]);
  });

  it('a repeated rank is one, and so is a repeated worker without ranks', () => {
    expect(texts(ours, 1, 0, 1, 1)).toEqual([
      'worker 16 has 3 entries of rank 1 in one scrape: the last one is used, and the others do not count',
    ]);
    expect(texts(ours, 0, null)).toEqual([
      'worker 16 has 2 entries in one scrape: the last one is used, and the others do not count',
    ]);
  });
});
