import type { LoadPolicy } from './load-policy.js';
import { policies } from './policies.js';
import { TidemarkError } from './tidemark-error.js';

/** A name that the table of policies does not hold. */
export class UnknownPolicyError extends TidemarkError {
  override readonly name = 'UnknownPolicyError';

  constructor(readonly given: string) {
    super(
      'unknown-policy',
      `There is no policy ${JSON.stringify(given)}: choose one of ${Object.keys(policies).join(', ')}.`,
    );
  }
}

/**
 * The policy of that name.
 *
 * @throws UnknownPolicyError, which lists the names there are.
 */
export function policyNamed(name: string): LoadPolicy {
  const policy: LoadPolicy | undefined = Object.hasOwn(policies, name)
    ? policies[name as keyof typeof policies]
    : undefined;
  if (policy === undefined) throw new UnknownPolicyError(name);
  return policy;
}
