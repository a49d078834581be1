import { NEVER, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ThresholdError } from '../../../src/core/policy/load-threshold-config.js';
import type { LoadThresholdUpdate } from '../../../src/core/policy/load-thresholds.js';
import { policies } from '../../../src/core/policy/policies.js';
import { FleetPools } from '../../../src/fleet/pools/fleet-pools.js';

const fleet = {
  pools$: NEVER,
  pool: () => ({ configs$: NEVER, instances$: NEVER }),
  loads$: NEVER,
  problems$: NEVER,
  status: [],
};

describe('FleetPools', () => {
  it.each([
    ['as text', { activeDecodeBlocksThreshold: '0.5' }],
    ['under a misspelt name', { activeDecodeBlockThreshold: 0.5 }],
    ['outside its range', { activeDecodeBlocksThreshold: 1.5 }],
    ['as null', null],
  ])('refuses a threshold %s when it is made', (_, thresholds) => {
    const rules = {
      policy: policies.default,
      thresholds: thresholds as LoadThresholdUpdate,
      scheduler: new VirtualTimeScheduler(),
    };
    expect(() => new FleetPools(fleet, rules)).toThrow(ThresholdError);
  });
});
