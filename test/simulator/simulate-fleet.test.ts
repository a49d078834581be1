import { describe, expect, it } from 'vitest';
import { policies } from '../../src/core/policy/policies.js';
import { FleetPlanError, type FleetPlan } from '../../src/simulator/fleet-plan.js';
import { simulateFleet } from '../../src/simulator/simulate-fleet.js';
import { decodeDiscoveryRecord } from '../../src/dynamo/discovery/discovery-record.js';
import { LoadDecoder } from '../../src/wire/loads/load-decoder.js';
import { parseSubject } from '../../src/dynamo/loads/subjects.js';

const plan: FleetPlan = {
  seed: 3,
  workers: 5,
  ranks: 2,
  durationMs: 20_000,
  startedAt: 0,
  policy: policies.default,
};

describe('simulated fleet', () => {
  it('the same seed gives the same bytes, and another seed gives different ones', () => {
    expect([...simulateFleet(plan)]).toEqual([...simulateFleet(plan)]);
    expect([...simulateFleet(plan)]).not.toEqual([...simulateFleet({ ...plan, seed: 4 })]);
  });

  it('events are in order and before the end', () => {
    const times = [...simulateFleet(plan)].map((event) => event.at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(plan.durationMs);
  });

  it.each(Object.values(policies))('$name decodes every event', (policy) => {
    const decoder = new LoadDecoder(policy);
    const seen = { load: 0, instance: 0, model: 0, removed: 0 };
    for (const event of simulateFleet({ ...plan, policy })) {
      if ('payload' in event) {
        expect(decoder.decode(event.payload)).toHaveProperty('load');
        expect(parseSubject(event.subject)).toMatchObject({ namespace: 'demo', topic: 'kv_metrics' });
        seen.load += 1;
      } else {
        const record = decodeDiscoveryRecord(event);
        if ('error' in record || (record.kind !== 'instance' && record.kind !== 'model'))
          throw new Error(event.key);
        seen[record.kind] += 1;
        if (record.removed) seen.removed += 1;
      }
    }
    expect(seen.load).toBeGreaterThan(900);
    expect(seen.removed).toBeGreaterThan(0);
    expect(seen.instance).toBe(seen.model);
  });

  it('every load is published between the registration and the departure of its worker', () => {
    const present = new Set<string>();
    for (const event of simulateFleet(plan)) {
      if ('payload' in event) {
        const decoded = new LoadDecoder(plan.policy).decode(event.payload);
        expect('load' in decoded && present.has(decoded.load.workerId)).toBe(true);
      } else {
        const record = decodeDiscoveryRecord(event);
        if (!('kind' in record) || record.kind !== 'instance') continue;
        if (record.removed) present.delete(record.instanceId);
        else present.add(record.instanceId);
      }
    }
  });

  it('an invalid plan: one error with all problems', () => {
    const bad = { ...plan, seed: -1, workers: 0, ranks: 1.5, durationMs: NaN };
    expect(() => simulateFleet(bad).next()).toThrow(FleetPlanError);
    expect(() => simulateFleet(bad).next()).toThrow(/seed.*workers.*ranks.*duration/);
  });
});
