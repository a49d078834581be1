import { InvalidArgumentError, Option } from 'commander';
import { numberRangeText, parseNumber } from '../core/number-text.js';
import { policies } from '../core/policy/policies.js';

/** Example calls of a command, as text to add after its help. */
export function helpExamples(...calls: string[]): string {
  return `\nExamples:\n${calls.map((call) => `  $ tidemark ${call}`).join('\n')}`;
}

/** A parser for an option that is a number from `min` to `max`: whole, unless `fraction` is set. */
export function numberOption(min: number, max: number, { fraction = false } = {}): (text: string) => number {
  return (text) => {
    const value = parseNumber(text, { min, max, fraction });
    if (value !== null) return value;
    throw new InvalidArgumentError(`Write ${numberRangeText({ min, max, fraction })}.`);
  };
}

/** The option `--policy`, which accepts the name of a policy. */
export function policyOption(description: string): Option {
  return new Option('--policy <name>', description).choices(Object.keys(policies));
}
