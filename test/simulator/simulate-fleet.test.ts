import { describe, expect, it } from 'vitest';
import { policies } from '../../src/core/policy/policies.js';
import { FleetPlanError, type FleetPlan } from '../../src/simulator/fleet-plan.js';
import { simulateFleet } from '../../src/simulator/simulate-fleet.js';
import { decodeDiscoveryRecord } from '../../src/wire/discovery/discovery-record.js';
import { LoadDecoder } from '../../src/wire/loads/load-decoder.js';
import { parseSubject } from '../../src/wire/loads/subjects.js';

const plan: FleetPlan = {
  seed: 3,
  workers: 5,
  ranks: 2,
  durationMs: 20_000,
  startedAt: 0,
  policy: policies.default,
};

describe('simulated fleet', () => {
  it('the same seed gives the same bytes, another seed others', () => {
    expect([...simulateFleet(plan)]).toEqual([...simulateFleet(plan)]);
    expect([...simulateFleet(plan)]).not.toEqual([...simulateFleet({ ...plan, seed: 4 })]);
  });

  it('facts come in order and before the end', () => {
    const times = [...simulateFleet(plan)].map((fact) => fact.at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(plan.durationMs);
  });

  it.each(Object.values(policies))('every fact is real bytes that $name reads', (policy) => {
    const decoder = new LoadDecoder(policy);
    const seen = { load: 0, instance: 0, model: 0, removed: 0 };
    for (const fact of simulateFleet({ ...plan, policy })) {
      if ('payload' in fact) {
        expect(decoder.decode(fact.payload)).toHaveProperty('load');
        expect(parseSubject(fact.subject)).toMatchObject({ namespace: 'demo', topic: 'kv_metrics' });
        seen.load += 1;
      } else {
        const record = decodeDiscoveryRecord(fact);
        if ('error' in record || (record.kind !== 'instance' && record.kind !== 'model'))
          throw new Error(fact.key);
        seen[record.kind] += 1;
        if (record.removed) seen.removed += 1;
      }
    }
    expect(seen.load).toBeGreaterThan(900);
    expect(seen.removed).toBeGreaterThan(0);
    expect(seen.instance).toBe(seen.model);
  });

  it('every load lies between its worker’s registration and its leaving', () => {
    const present = new Set<string>();
    for (const fact of simulateFleet(plan)) {
      if ('payload' in fact) {
        const decoded = new LoadDecoder(plan.policy).decode(fact.payload);
        expect('load' in decoded && present.has(decoded.load.workerId)).toBe(true);
      } else {
        const record = decodeDiscoveryRecord(fact);
        if (!('kind' in record) || record.kind !== 'instance') continue;
        if (record.removed) present.delete(record.instanceId);
        else present.add(record.instanceId);
      }
    }
  });

  it('a bad plan - all problems at once', () => {
    const bad = { ...plan, seed: -1, workers: 0, ranks: 1.5, durationMs: NaN };
    expect(() => simulateFleet(bad).next()).toThrow(FleetPlanError);
    expect(() => simulateFleet(bad).next()).toThrow(/seed.*workers.*ranks.*duration/);
  });
});
