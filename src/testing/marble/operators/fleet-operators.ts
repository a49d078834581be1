import { share } from 'rxjs';
import { policyNamed } from '../../../core/policy/policies.js';
import type { MarbleOperators } from '../run/marble-operator.js';
import { aggregatorOperator } from './aggregator-operator.js';
import { monitorOperator } from './monitor-operator.js';
import { performOperator } from './perform-operator.js';
import {
  type PolicyLookup,
  modelOperator,
  reduceOperator,
  selectionOperators,
  stepsOperator,
} from './reducer-operators.js';

/**
 * Who listens to the operator above: `subscribers()` has the outputs `first`, `second` and `third`, which are
 * subscribers to it, each on its own; a row of subscriptions says when. `share()` makes what stands above it hot.
 */
export const subscriberOperators = {
  share: () => share(),
  subscribers: (_, { merged$ }) => ({ first: merged$, second: merged$, third: merged$ }),
} satisfies MarbleOperators;

/**
 * The operators of this domain that marble files can name: `reduceFleet`, `loadMonitor`, and `model`; `steps`, and
 * below it `busySets`, `transitions` and `cleanups`; `performCleanup`; `metricsAggregator`; `share` and `subscribers` say who listens. One
 * more is one line here.
 *
 * @param lookup what a name of a policy means in a file; by default the row of the table {@link policies}
 */
export function fleetOperators(lookup: PolicyLookup = policyNamed): MarbleOperators {
  return {
    model: modelOperator(lookup),
    reduceFleet: reduceOperator(lookup),
    loadMonitor: monitorOperator(lookup),
    steps: stepsOperator(lookup),
    ...selectionOperators,
    performCleanup: performOperator,
    metricsAggregator: aggregatorOperator,
    ...subscriberOperators,
  };
}
