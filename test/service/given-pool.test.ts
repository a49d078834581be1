import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { loadMonitor } from '../../src/core/pipeline/load-monitor.js';
import { policies } from '../../src/core/policy/policies.js';
import type { FleetEvent } from '../../src/core/events/fleet-event.js';
import { givenPool } from '../../src/service/given-pool.js';
import { id, load } from '../support/fleet.js';

it('a given pool gets the thresholds of the pool and those of its workers, and each back when they are removed', () => {
  const events$ = new Subject<FleetEvent>();
  const monitor = loadMonitor(
    { events: events$ },
    { policy: policies.default, thresholds: { activePrefillTokensThreshold: 10 } },
  );
  const connection = monitor.connect();
  const endpoint = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };
  const pools = givenPool({
    name: { model: 'llama', endpoint },
    monitor,
    setThresholds: (change, workerId) =>
      events$.next({
        kind: 'thresholds',
        ...change,
        ...(workerId !== undefined && { target: { workerId } }),
      }),
  });
  const { book } = pools;
  const running = pools.run();
  for (const worker of [7, 8]) events$.next(load({ workerId: id(worker), activePrefillTokens: 15 }));
  const states = () => [monitor.stateOf(id(7)), monitor.stateOf(id(8))];
  const origin = { at: '2026-12-01T00:00:00.000Z', address: null, token: null, route: 'test' };
  expect(states()).toEqual(['busy', 'busy']);
  book.set({ workerId: id(7) }, { activePrefillTokensThreshold: 20 }, origin);
  expect(states()).toEqual(['free', 'busy']);
  book.set({ model: 'llama' }, { activePrefillTokensThreshold: 30 }, origin);
  expect(states()).toEqual(['free', 'free']);
  book.unset({ model: 'llama' }, origin);
  book.unset({ workerId: id(7) }, origin);
  expect(states()).toEqual(['busy', 'busy']);
  running.unsubscribe();
  connection.unsubscribe();
});
