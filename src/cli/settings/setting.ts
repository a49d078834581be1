import { type Count, MAX_U64 } from '../../core/count.js';
import { TidemarkError } from '../../core/errors.js';
import { numberRangeText, parseCount, parseNumber } from '../../core/number-text.js';

/** A setting, which is given by a flag, by an environment variable, or in a file under its name. */
export interface Setting<T = unknown> {
  /** The flag as commander writes it. Absent for credentials, so that no password appears on a command line. */
  readonly flag?: string;
  readonly env: string;
  readonly text: string;
  /** Absent: the setting has no default. */
  readonly defaultValue?: T;
  /** Parses the given texts. @throws TidemarkError whose message says what is expected, as in "must be …" */
  readonly read: (texts: readonly string[]) => T;
  /** The value is not printed. */
  readonly isSecret?: true;
}

/** Settings by their names in a file. */
export type Settings = Readonly<Record<string, Setting>>;

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

/** The members of options that are not `undefined`. */
type Present<Options> = {
  readonly [Key in keyof Options as undefined extends Options[Key] ? never : Key]: Options[Key];
} & {
  readonly [Key in keyof Options as undefined extends Options[Key] ? Key : never]?: Exclude<
    Options[Key],
    undefined
  >;
};

/** The members that are not `undefined`, since the library accepts options only with a value. */
export function present<Options extends object>(options: Options): Present<Options> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Present<Options>;
}

/** Reads a number from `min` to `max`: whole, unless `fraction` is set. */
export function numberReader(min: number, max: number, { fraction = false } = {}): Setting<number>['read'] {
  return (texts) => {
    const text = readText(texts);
    return parseNumber(text, { min, max, fraction }) ?? refuse(numberRangeText({ min, max, fraction }), text);
  };
}

/** Reads a count from 0 to 2^64 − 1, with all its digits. */
export function readCount(texts: readonly string[]): Count {
  const text = readText(texts);
  return parseCount(text) ?? refuse(`a whole number from 0 to ${MAX_U64}`, text);
}

/** Reads one of the given words. */
export function wordReader<const Word extends string>(words: readonly Word[]): Setting<Word>['read'] {
  return (texts) => {
    const text = readText(texts);
    return words.find((word) => word === text) ?? refuse(`one of ${words.join(', ')}`, text);
  };
}

export function readBoolean(texts: readonly string[]): boolean {
  return wordReader(['true', 'false'])(texts) === 'true';
}

/** Reads texts, as a list or comma-separated, without duplicates. */
export function readList(texts: readonly string[]): readonly string[] {
  const items = texts.flatMap((text) => text.split(',')).map((text) => text.trim());
  const given = new Set(items.filter((item) => item !== ''));
  return given.size > 0 ? [...given] : refuse('one or more values', ...texts);
}

/** Reads URLs of HTTP servers, as a list or comma-separated. */
export function readHttpUrls(texts: readonly string[]): readonly string[] {
  const urls = readList(texts);
  const wrong = urls.filter((url) => !/^https?:\/\/[^/\s]/.test(url) || !URL.canParse(url));
  return wrong.length === 0 ? urls : refuse('http:// or https:// URLs', ...wrong);
}

/** Reads a text that is not empty. */
export function readText(texts: readonly string[]): string {
  const [text = ''] = texts;
  if (texts.length !== 1) throw new TidemarkError('setting', `must be one value, not ${texts.length}`);
  return text.trim() === '' ? refuse('a value', text) : text;
}

function refuse(expected: string, ...given: readonly string[]): never {
  const shown = given.map((text) => JSON.stringify(text)).join(', ');
  throw new TidemarkError('setting', `must be ${expected}, not ${shown}`);
}
