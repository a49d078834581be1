/** What the value of an option must be. */
export interface OptionRule {
  /** Completes the sentence "NAME must be …". */
  readonly what: string;
  readonly is: (value: unknown) => boolean;
  /** Whether `undefined` is a problem too. */
  readonly required?: true;
}

const MAX_SHOWN = 100;

/** A given value in a message. Of an object only its kind is shown, because it may contain a password. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value).slice(0, MAX_SHOWN);
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value).slice(0, MAX_SHOWN);
  return Array.isArray(value) ? 'a list' : 'an object';
}

/** Whether a value has members that can be read by name. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Anything with members that can be read by name. */
export const anObject: OptionRule = { what: 'an object', is: isRecord };

/** A string, which may be empty. */
export const aString: OptionRule = { what: 'a string', is: (value) => typeof value === 'string' };

/** A whole or fractional number. */
export const aNumber: OptionRule = { what: 'a number', is: (value) => typeof value === 'number' };

/** A scheduler of RxJS, or another one with the same methods. */
export const aScheduler: OptionRule = {
  what: 'a scheduler with the methods now and schedule',
  is: (value) =>
    isRecord(value) && typeof value['now'] === 'function' && typeof value['schedule'] === 'function',
};

/** A string, or a list of strings. */
export function textOrList(what: string): OptionRule {
  return { what, is: (value) => [value].flat().every((item) => typeof item === 'string') };
}

/** One of some words. */
export function oneOf(words: readonly string[]): OptionRule {
  return {
    what: words.map((word) => JSON.stringify(word)).join(' or '),
    is: (value) => typeof value === 'string' && words.includes(value),
  };
}

/** An object whose members, if present, are all valid. */
export function recordOf(what: string, member: (name: string, value: unknown) => boolean): OptionRule {
  return {
    what,
    is: (value) =>
      isRecord(value) &&
      Object.entries(value).every(([name, inner]) => inner === undefined || member(name, inner)),
  };
}

/** A value that another function validates, with an error of its own. */
export const validatedElsewhere: OptionRule = { what: '', is: () => true };

/** The same rule for an option that must be given. */
export function required(rule: OptionRule): OptionRule {
  return { ...rule, required: true };
}

/**
 * Everything that is wrong with the shape of options: a value of another type, a missing value, or a name that is not an
 * option, because a misspelt option would be ignored.
 *
 * @param of the function that takes the options, for the messages
 */
export function optionProblems(
  of: string,
  given: unknown,
  rules: Readonly<Record<string, OptionRule>>,
): string[] {
  if (!isRecord(given)) return [`${of} needs an object with its options, not ${shownValue(given)}`];
  const names = Object.keys(rules);
  const unknown = Object.keys(given).filter(
    (name) => given[name] !== undefined && !Object.hasOwn(rules, name),
  );
  return [
    ...unknown.map(
      (name) => `${name.slice(0, MAX_SHOWN)} is not an option of ${of}: the options are ${names.join(', ')}`,
    ),
    ...Object.entries(rules)
      .filter(([name, { is, required: needed }]) => {
        const value = given[name];
        return value === undefined ? needed === true : !is(value);
      })
      .map(([name, { what }]) => `${name} must be ${what}, not ${shownValue(given[name])}`),
  ];
}

/** Options without the members that are `undefined`, so that they can replace defaults. */
export function givenOptions<Options extends object>(options: Options): Options {
  return Object.fromEntries(
    Object.entries(options as Record<string, unknown>).filter(([, value]) => value !== undefined),
  ) as Options;
}
