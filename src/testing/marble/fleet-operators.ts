import { policyNamed } from '../../core/policy-named.js';
import { aggregatorOperator } from './aggregator-operator.js';
import type { MarbleOperators } from './marble-operator.js';
import { modelOperator, type PolicyLookup } from './model-operator.js';
import { monitorOperator } from './monitor-operator.js';
import { performOperator } from './perform-operator.js';
import { reduceOperator } from './reduce-operator.js';
import { selectionOperators } from './selection-operators.js';
import { stepsOperator } from './steps-operator.js';
import { subscriberOperators } from './subscriber-operators.js';

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
