import { share } from 'rxjs';
import { policyNamed } from '../../../core/policy/policies.js';
import type { MarbleOperators } from '../run/marble-operator.js';
import { aggregatorOperator } from './aggregator-operator.js';
import { monitorOperator } from './monitor-operator.js';
import { performOperator } from './perform-operator.js';
import {
  type PolicyLookup,
  modelOperator,
  modelStateOperator,
  reduceOperator,
  selectionOperators,
  stepsOperator,
} from './reducer-operators.js';

/**
 * Subscribers to the operator above: `subscribers()` has the outputs `first`, `second` and `third`, which are independent
 * subscribers; a row of subscriptions below each says when it subscribes. `share()` makes the operator above it hot.
 */
const subscriberOperators = {
  share: () => share(),
  subscribers: (_, { merged$ }) => ({ first: merged$, second: merged$, third: merged$ }),
} satisfies MarbleOperators;

/**
 * The operators of tidemark that marble files can name.
 *
 * 1. `reduceFleet`, `loadMonitor`, `model`, the reference model, and `modelState`, the state of a model with two pools
 * 2. `steps`, and below it `busySets`, `transitions`, `cleanups` and `problems`
 * 3. `performCleanup` and `metricsAggregator`
 * 4. `share` and `subscribers`, for late and repeated subscriptions
 *
 * @param lookup finds the policy of a name in a file; by default in the table {@link policies}
 */
export function fleetOperators(lookup: PolicyLookup = policyNamed): MarbleOperators {
  return {
    model: modelOperator(lookup),
    modelState: modelStateOperator(lookup),
    reduceFleet: reduceOperator(lookup),
    loadMonitor: monitorOperator(lookup),
    steps: stepsOperator(lookup),
    ...selectionOperators,
    performCleanup: performOperator,
    metricsAggregator: aggregatorOperator,
    ...subscriberOperators,
  };
}
