import { Option } from 'commander';
import { policies } from '../core/policies.js';

/** The choice of a policy by its name. */
export function policyOption(description: string): Option {
  return new Option('--policy <name>', description).choices(Object.keys(policies));
}
