import { concat, defer, of, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { FleetEvent } from '../../../src/core/events/fleet-event.js';
import { reduceFleet } from '../../../src/core/pipeline/reduce-fleet.js';
import { busySets } from '../../../src/core/pipeline/selections.js';
import { policies } from '../../../src/core/policy/policies.js';
import { id, load } from '../../support/fleet.js';

describe('busySets', () => {
  it('over several runs in one subscription - each run begins with the empty set, so that none keeps the workers of the last', () => {
    const run = (worker: number) =>
      defer(() => of<FleetEvent>(load({ workerId: id(worker), activePrefillTokens: 11 }))).pipe(
        reduceFleet(policies.default, { thresholds: { activePrefillTokensThreshold: 10 } }),
      );
    const sets: string[][] = [];
    concat(run(7), run(8), run(8))
      .pipe(busySets(), toArray())
      .subscribe((all) => sets.push(...all.map((busy) => [...busy])));
    expect(sets).toEqual([[], ['7'], [], ['8'], [], ['8']]);
  });
});
