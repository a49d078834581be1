import { type Count, MAX_U64 } from '../../core/count.js';
import { TidemarkError } from '../../core/errors.js';
import { numberRangeText, parseCount, parseNumber } from '../../core/number-text.js';

/** A setting, which is given by a flag, by an environment variable, or in a file under its name. */
export interface Setting<T = unknown> {
  /** The flag as commander writes it. Absent for credentials, so that no password appears on a command line. */
  readonly flag?: string;
  readonly env: string;
  /** A variable that is used when `env` is not set. */
  readonly fallbackEnv?: string;
  readonly text: string;
  /** Absent: the setting has no default. */
  readonly defaultValue?: T;
  /** Parses the given texts. @throws TidemarkError whose message says what is expected, as in "must be …" */
  readonly read: (texts: readonly string[]) => T;
  /** The value is not printed. */
  readonly isSecret?: true;
  /** The file takes precedence over the environment. */
  readonly isFileFirst?: true;
}

/** Settings by their names in a file. */
export type Settings = Readonly<Record<string, Setting>>;

/** A setting as it is declared. Its name decides its flag and its variable, unless they are given. */
export interface Declaration extends Omit<Setting, 'flag' | 'env'> {
  /** `null`: the setting has no flag. */
  readonly flag?: string | null;
  /** The argument of the flag, as in `<n>`. Absent: the flag has none. */
  readonly argument?: string;
  readonly env?: string;
}

type Declared<Group> = {
  readonly [Name in keyof Group]: Omit<Group[Name], 'flag' | 'argument' | 'env'> &
    Pick<Setting, 'flag' | 'env' | 'fallbackEnv'>;
};

/** Declares settings. By its name, `maxReaders` has the flag `--max-readers` and the variable `TIDEMARK_MAX_READERS`. */
export function declare<Group extends Readonly<Record<string, Declaration>>>(group: Group): Declared<Group> {
  const settings = Object.entries(group).map(([name, { flag, argument, env, ...setting }]) => {
    const words = name.replace(/[A-Z]/g, (letter) => `-${letter}`).toUpperCase();
    const word = flag ?? `--${words.toLowerCase()}`;
    const given = {
      ...setting,
      ...(flag !== null && { flag: argument === undefined ? word : `${word} ${argument}` }),
      env: env ?? `TIDEMARK_${words.replaceAll('-', '_')}`,
    };
    return [name, given] as const;
  });
  return Object.fromEntries(settings) as unknown as Declared<Group>;
}

/** The values of settings. A setting without a default may be `undefined`. */
export type ValuesOf<Group extends Settings> = {
  readonly [Name in keyof Group]: Group[Name] extends { readonly defaultValue: unknown }
    ? ReturnType<Group[Name]['read']>
    : ReturnType<Group[Name]['read']> | undefined;
};

/** Invalid settings. `problems` lists everything that is wrong. */
export class SettingsError extends TidemarkError {
  override readonly name = 'SettingsError';

  constructor(readonly problems: readonly string[]) {
    super(
      'settings',
      problems.length === 1 ? String(problems[0]) : problems.map((problem) => `\n  - ${problem}`).join(''),
    );
  }
}

/** Makes each value, and collects the problems of those that cannot be made. They are absent. */
export function makeEach<Values extends object>(makers: {
  readonly [Key in keyof Values]: () => Values[Key];
}): { readonly made: Partial<Values>; readonly problems: readonly string[] } {
  const made: Partial<Values> = {};
  const problems: string[] = [];
  for (const key of Object.keys(makers) as (keyof Values)[]) {
    try {
      made[key] = makers[key]();
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
      problems.push(...(error instanceof SettingsError ? error.problems : [error.message]));
    }
  }
  return { made, problems };
}

/** Makes every value. @throws SettingsError with the problems of all of them */
export function makeAll<Values extends object>(makers: {
  readonly [Key in keyof Values]: () => Values[Key];
}): Values {
  const { made, problems } = makeEach<Values>(makers);
  if (problems.length > 0) throw new SettingsError(problems);
  return made as Values;
}

/** The members that are not `undefined`, since the library accepts options only with a value. */
export function present<Options extends object>(
  options: Options,
): { readonly [Name in keyof Options]?: Exclude<Options[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as object;
}

/** A setting that is on or off. */
export const aSwitch = {
  defaultValue: false,
  read: (texts: readonly string[]): boolean => readWord(texts, ['true', 'false']) === 'true',
};

/** A setting that is a text, which is not empty. */
export const aText = (argument: string) => ({ argument, read: readText });

/** A secret text, which has no flag and is not printed. */
export const aSecret = (env: string, text: string) =>
  ({ flag: null, env, text, isSecret: true, read: readText }) as const;

/** A setting that is one of these words. */
export const aWord = <const Word extends string>(argument: string, words: readonly Word[]) => ({
  argument,
  read: (texts: readonly string[]): Word => readWord(texts, words),
});

/** A setting that is a number from `min` to `max`: whole, unless `fraction` is set. */
export const aNumber = (argument: string, min: number, max: number, { fraction = false } = {}) => ({
  argument,
  read: (texts: readonly string[]): number => {
    const text = readText(texts);
    return parseNumber(text, { min, max, fraction }) ?? refuse(numberRangeText({ min, max, fraction }), text);
  },
});

/** A setting that is a count from 0 to 2^64 − 1, with all its digits. */
export const aCount = (argument: string) => ({
  argument,
  read: (texts: readonly string[]): Count => {
    const text = readText(texts);
    return parseCount(text) ?? refuse(`a whole number from 0 to ${MAX_U64}`, text);
  },
});

/** A setting that is a list, or comma-separated texts. Duplicates are dropped. */
export const aList = (argument: string) => ({ argument, read: readList });

/** A list of URLs of HTTP servers. */
export const httpUrls = (argument: string) => ({
  argument,
  read: (texts: readonly string[]): readonly string[] => {
    const urls = readList(texts);
    const wrong = urls.filter((url) => !/^https?:\/\/[^/\s]/.test(url) || !URL.canParse(url));
    return wrong.length === 0 ? urls : refuse('http:// or https:// URLs', ...wrong);
  },
});

/** Reads a text that is not empty. */
export function readText(texts: readonly string[]): string {
  const [text = ''] = texts;
  if (texts.length !== 1) throw new TidemarkError('setting', `must be one value, not ${texts.length}`);
  return text.trim() === '' ? refuse('a value', text) : text;
}

function readWord<Word extends string>(texts: readonly string[], words: readonly Word[]): Word {
  const text = readText(texts);
  return words.find((word) => word === text) ?? refuse(`one of ${words.join(', ')}`, text);
}

function readList(texts: readonly string[]): readonly string[] {
  const items = texts.flatMap((text) => text.split(',')).map((text) => text.trim());
  const given = new Set(items.filter((item) => item !== ''));
  return given.size > 0 ? [...given] : refuse('one or more values', ...texts);
}

function refuse(expected: string, ...given: readonly string[]): never {
  const shown = given.map((text) => JSON.stringify(text)).join(', ');
  throw new TidemarkError('setting', `must be ${expected}, not ${shown}`);
}
