import { defer, of } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { aggregatorPolicies } from '../../src/core/aggregator/aggregator-policy.js';
import type { Scrape } from '../../src/core/aggregator/scrape.js';
import { EndpointCollector, KvMetricsAggregator } from '../../src/dynamo/scraped-endpoints.js';
import { metricsOf, statsReply } from '../support/scraped.js';

const component = { namespace: 'dynamo', component: 'backend' };
const scrape$: Scrape = of(
  { data: statsReply('16', metricsOf(10)), receivedAt: 0 },
  { data: statsReply('17', metricsOf(30)), receivedAt: 0 },
);

/** Runs in virtual time; `at` does something at a moment. */
function inVirtualTime(
  run: (scheduler: TestScheduler, at: (ms: number, act: () => void) => void) => void,
): void {
  const scheduler = new TestScheduler(() => true);
  scheduler.run(() => run(scheduler, (ms, act) => void scheduler.schedule(act, ms)));
}

describe('KvMetricsAggregator and EndpointCollector', () => {
  it('engines say their load; who only is there has none', () => {
    inVirtualTime((scheduler, at) => {
      const engines = new KvMetricsAggregator(scrape$, component, { scheduler });
      const everyone = new EndpointCollector(scrape$, component, { scheduler });
      expect([engines.serviceName, everyone.serviceName]).toEqual(['dynamo_backend', 'dynamo_backend']);
      engines.connect();
      everyone.connect();
      at(150, () => {
        expect(engines.getEndpoints()).toMatchObject({ loadAvg: 20, loadStd: 10 });
        expect(everyone.getEndpoints()).toMatchObject({ loadAvg: 0, loadStd: 0 });
        expect(everyone.getEndpoints().workerIds()).toEqual(['16', '17']);
        expect([...everyone.getEndpoints().endpoints.values()].map(({ subject }) => subject)).toEqual([
          'dynamo_backend.generate-10',
          'dynamo_backend.generate-11',
        ]);
        engines.stop();
        everyone.stop();
      });
    });
  });

  it('nothing runs before it is connected; a stop ends it, and it can be connected again', () => {
    let scrapes = 0;
    const counted$: Scrape = defer(() => {
      scrapes += 1;
      return scrape$;
    });
    inVirtualTime((scheduler, at) => {
      const { compat: policy } = aggregatorPolicies;
      const aggregator = new KvMetricsAggregator(counted$, component, { scheduler, policy });
      expect(aggregator.getEndpoints().endpoints.size).toBe(0);
      at(500, () => {
        expect(scrapes).toBe(0);
        expect(aggregator.connect()).toBe(aggregator.connect());
      });
      at(650, () => {
        expect([scrapes, aggregator.getEndpoints().loadAvg]).toEqual([1, 20]);
        aggregator.stop();
        expect(aggregator.getEndpoints().loadAvg).toBe(0);
      });
      at(2_000, () => {
        expect(scrapes).toBe(1);
        aggregator.connect();
      });
      at(2_150, () => {
        expect(aggregator.getEndpoints().loadAvg).toBe(20);
        aggregator[Symbol.dispose]();
      });
    });
    expect(scrapes).toBe(2);
  });
});
