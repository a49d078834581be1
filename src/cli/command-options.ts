import { Option } from 'commander';
import { policies } from '../core/policy/policies.js';

/** Example calls of a command, as text to add after its help. */
export function helpExamples(...calls: string[]): string {
  return `\nExamples:\n${calls.map((call) => `  $ tidemark ${call}`).join('\n')}`;
}

/** The option `--policy`, which accepts the name of a policy. */
export function policyOption(description: string): Option {
  return new Option('--policy <name>', description).choices(Object.keys(policies));
}
