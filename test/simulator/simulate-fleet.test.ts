import { createHash } from 'node:crypto';
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

  it.each([
    ['dynamo-0.8', '3cf783665b119412'],
    ['dynamo-1.0', '7e74e1e57adcf826'],
    ['dynamo-1.6', '84e558992efed705'],
  ] as const)('a fleet of %s without prefill workers keeps the bytes that it always had', (policy, hash) => {
    const bytes = createHash('sha256');
    for (const event of simulateFleet({ ...plan, policy: policies[policy] })) {
      if ('payload' in event) bytes.update(`${event.at} ${event.subject} `).update(event.payload);
      else bytes.update(`${event.at} ${event.key} `).update(event.value);
    }
    expect(bytes.digest('hex').slice(0, 16)).toBe(hash);
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

  it.each(['dynamo-1.0', 'dynamo-1.6'] as const)(
    'prefill workers of %s have their own endpoint, role and loads',
    (name) => {
      const roles = new Map<string, unknown>();
      const tokens = new Map<unknown, number>();
      const decoder = new LoadDecoder(policies[name]);
      for (const event of simulateFleet({ ...plan, policy: policies[name], prefillWorkers: 2 })) {
        if ('payload' in event) {
          const decoded = decoder.decode(event.payload);
          if (!('load' in decoded)) throw new Error('a load cannot be decoded');
          const { workerId, activePrefillTokens } = decoded.load;
          const role = roles.get(workerId);
          tokens.set(role, Math.max(tokens.get(role) ?? 0, Number(activePrefillTokens)));
          const endpoint = role === 'prefill' ? { component: 'prefill' } : {};
          if (name === 'dynamo-1.6') expect(parseSubject(event.subject)).toMatchObject(endpoint);
          continue;
        }
        const record = decodeDiscoveryRecord(event);
        if (!('kind' in record) || record.kind !== 'model' || record.removed) continue;
        roles.set(String(record.instanceId), record.role);
        expect(record.component).toBe(record.role === 'prefill' ? 'prefill' : 'backend');
      }
      const decode = name === 'dynamo-1.6' ? 'decode' : null;
      expect([...roles.values()].filter((role) => role === decode)).toHaveLength(5);
      expect([...roles.values()].filter((role) => role === 'prefill')).toHaveLength(2);
      expect(tokens.get(decode)).toBe(0);
      expect(tokens.get('prefill')).toBeGreaterThan(8192);
    },
  );

  it('an invalid plan: one error with all problems', () => {
    const bad = { ...plan, seed: -1, workers: 0, prefillWorkers: -1, ranks: 1.5, durationMs: NaN };
    expect(() => simulateFleet(bad).next()).toThrow(FleetPlanError);
    expect(() => simulateFleet(bad).next()).toThrow(/seed.*workers.*prefillWorkers.*ranks.*duration/);
  });
});
