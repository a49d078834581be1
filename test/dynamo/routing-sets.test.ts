import { describe, expect, it } from 'vitest';
import { clientPolicies } from '../../src/dynamo/client-policy.js';
import { RoutingSets } from '../../src/dynamo/routing-sets.js';
import { id } from '../support/fleet.js';
import { ids } from './virtual-fleet.js';

describe('RoutingSets', () => {
  it.each(Object.values(clientPolicies))('upstream, $name: reconciliation with discovery', (policy) => {
    // Upstream injects [1, 2, 3] into a client with empty discovery; here, an earlier snapshot has the same effect.
    const sets = new RoutingSets(policy);
    sets.reconcile(ids(1, 2, 3));
    expect([sets.reportDown(id(2)), sets.reportDown(id(2)), sets.reportDown(id(9))]).toEqual([
      true,
      false,
      false,
    ]);
    expect([...sets.snapshot(0).available]).toEqual(['1', '3']);
    expect(sets.reconcile([])).toEqual({ restored: [] });
    expect([...sets.snapshot(150).available]).toEqual([]);
  });

  it('returns which workers are available again', () => {
    const sets = new RoutingSets(clientPolicies.default);
    sets.reconcile(ids(1, 2));
    sets.reportDown(id(1));
    sets.reportDown(id(2));
    expect(sets.reconcile({ workerId: id(2), present: false })).toEqual({ restored: ['1'] });
    expect(sets.reconcile()).toEqual({ restored: [] });
  });

  it('returns the same objects while nothing changes', () => {
    const sets = new RoutingSets(clientPolicies.default);
    sets.reconcile(ids(1, 2));
    sets.setOverloaded(ids(1), 0);
    const before = sets.snapshot(0);
    sets.reconcile(ids(2, 1));
    sets.setOverloaded([], 0);
    sets.setOverloaded(ids(1), 0);
    expect(sets.snapshot(0)).toBe(before);
    sets.reportDown(id(2));
    const after = sets.snapshot(0);
    expect([after === before, after.discovered === before.discovered, after.free === before.free]).toEqual([
      false,
      true,
      false,
    ]);
  });
});
