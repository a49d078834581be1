import { share } from 'rxjs';
import type { MarbleOperators } from './marble-operator.js';

/**
 * Who listens to the operator above: `subscribers()` has the outputs `first`, `second` and `third`, which are
 * subscribers to it, each on its own; a row of subscriptions says when. `share()` makes what stands above it hot.
 */
export const subscriberOperators = {
  share: () => share(),
  subscribers: (_, { merged$ }) => ({ first: merged$, second: merged$, third: merged$ }),
} satisfies MarbleOperators;
