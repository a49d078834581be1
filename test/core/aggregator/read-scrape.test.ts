import { describe, expect, it } from 'vitest';
import { aggregatorPolicies } from '../../../src/core/aggregator/aggregator-policy.js';
import { workerOfSubject } from '../../../src/core/aggregator/read-scrape.js';

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
