import { type OperatorFunction, map } from 'rxjs';
import { TidemarkError } from '../../../core/errors.js';
import { valueText } from '../value-text.js';

const MAX_TEXT = 100;

/**
 * Passes on the values that an operator takes, and errors at any other one: the operator above it may give anything.
 *
 * @param what what the operator takes, such as `steps`
 * @param member a member that only these values have, with the type of its value
 */
export function requireValues<T>(
  operator: string,
  what: string,
  member: readonly [name: keyof T & string, type: 'string' | 'object'],
): OperatorFunction<unknown, T> {
  const [name, type] = member;
  return map((value) => {
    if (typeof (value as Readonly<Record<string, unknown>> | null)?.[name] === type) return value as T;
    const text = valueText(value).slice(0, MAX_TEXT);
    throw new TidemarkError(
      'marble-call',
      `${operator} takes ${what}, but the operator above it gives ${text}: write one above it that gives ${what}.`,
    );
  });
}
