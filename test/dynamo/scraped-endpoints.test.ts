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

/** Runs in virtual time. `at` schedules an action at a time. */
function inVirtualTime(
  run: (scheduler: TestScheduler, at: (ms: number, act: () => void) => void) => void,
): void {
  const scheduler = new TestScheduler(() => true);
  scheduler.run(() => run(scheduler, (ms, act) => void scheduler.schedule(act, ms)));
}

describe('KvMetricsAggregator and EndpointCollector', () => {
  it('engines report their load; workers without metrics have none', () => {
    inVirtualTime((scheduler, at) => {
      const engines = new KvMetricsAggregator(scrape$, component, { scheduler });
      const present = new EndpointCollector(scrape$, component, { scheduler });
      expect([engines.serviceName, present.serviceName]).toEqual(['dynamo_backend', 'dynamo_backend']);
      engines.connect();
      present.connect();
      at(150, () => {
        expect(engines.getEndpoints()).toMatchObject({ loadAvg: 20, loadStd: 10 });
        expect(present.getEndpoints()).toMatchObject({ loadAvg: 0, loadStd: 0 });
        expect(present.getEndpoints().workerIds()).toEqual(['16', '17']);
        expect(present.getEndpoints().endpoints.map(({ subject }) => subject)).toEqual([
          'dynamo_backend.generate-10',
          'dynamo_backend.generate-11',
        ]);
        engines.stop();
        present.stop();
      });
    });
  });

  it('runs from connect to stop, and can be connected again', () => {
    let scrapes = 0;
    const counted$: Scrape = defer(() => {
      scrapes += 1;
      return scrape$;
    });
    inVirtualTime((scheduler, at) => {
      const { compat: policy } = aggregatorPolicies;
      const aggregator = new KvMetricsAggregator(counted$, component, { scheduler, policy });
      expect(aggregator.getEndpoints().endpoints).toEqual([]);
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
