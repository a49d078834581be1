import { InvalidArgumentError, Option } from 'commander';
import { policies } from '../core/policy/policies.js';

/** Calls that show how a command is used, as they stand below its help. */
export function helpExamples(...calls: string[]): string {
  return `\nExamples:\n${calls.map((call) => `  $ tidemark ${call}`).join('\n')}`;
}

/** A parser of options that are numbers of `least` to `most`; whole ones unless `fraction`. */
export function numberOption(min: number, max: number, { fraction = false } = {}): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if ((fraction || Number.isInteger(value)) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Write a ${fraction ? '' : 'whole '}number from ${min} to ${max}.`);
  };
}

/** The choice of a policy by its name. */
export function policyOption(description: string): Option {
  return new Option('--policy <name>', description).choices(Object.keys(policies));
}
