import type { LoadAccount } from '../../wire/load-account.js';
import type { SequenceGap } from '../../wire/load-account.js';

/** What came over a subscription so far, and the gaps that were seen since the report before. */
export interface LoadReport {
  readonly account: LoadAccount;
  readonly gaps: readonly SequenceGap[];
}
