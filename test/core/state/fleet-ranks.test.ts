import fc from 'fast-check';
import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { isRankBusy } from '../../../src/core/judgement/is-busy.js';
import { policies } from '../../../src/core/policy/policies.js';
import { FleetLoad } from '../../../src/core/state/fleet-load.js';
import { recordedInputs } from '../../../src/testing/recordings/recorded-inputs.js';
import { anyEvent } from '../../support/any-event.js';

describe('ranks', () => {
  it.each(Object.values(policies))(
    'are busy by the thresholds in force, whether or not a change of thresholds judges workers: $name',
    (policy) => {
      fc.assert(
        fc.property(
          fc.array(anyEvent({ workers: 4, maxRanks: 3 }), { maxLength: 60, size: 'max' }),
          (events) => {
            const fleet = new FleetLoad(policy, { thresholds: { activeDecodeBlocksThreshold: 0.5 } });
            from(events)
              .pipe(recordedInputs({}))
              .subscribe((event) => fleet.apply(event, 0));
            const ranks = fleet.ranks();
            for (let worker = 0; worker < ranks.end; worker += 1) {
              if (!ranks.isPresent(worker)) continue;
              for (let index = 0; index < ranks.rankCount(worker); index += 1) {
                const busy = isRankBusy(ranks.state(worker, index), ranks.workerThresholds(worker), policy);
                expect(ranks.isRankBusy(worker, index)).toBe(busy);
              }
            }
          },
        ),
        { numRuns: 500 },
      );
    },
  );
});
