import { type Count, MAX_U64 } from '../../../core/count.js';
import { TidemarkError } from '../../../core/errors.js';
import { numberRangeText, parseCount, parseNumber } from '../../../core/number-text.js';

/** A setting, which is given by a flag, by an environment variable, or in a file under its name. */
export interface Setting<T = unknown> {
  readonly name: string;
  /** The flag as commander writes it. */
  readonly flag: string;
  readonly env: string;
  readonly text: string;
  /** Absent: the setting has no default. */
  readonly defaultValue?: T;
  /** Parses the given texts. @throws TidemarkError whose message says what is expected, as in "must be …" */
  readonly read: (texts: readonly string[]) => T;
  /** The value is not printed. */
  readonly isSecret?: true;
}

/** Reads a number from `min` to `max`: whole, unless `fraction` is set. */
export function numberReader(min: number, max: number, { fraction = false } = {}): Setting<number>['read'] {
  return (texts) => {
    const text = singleValue(texts);
    const value = parseNumber(text, { min, max, fraction });
    if (value !== null) return value;
    throw new TidemarkError(
      'setting',
      `must be ${numberRangeText({ min, max, fraction })}, not ${JSON.stringify(text)}`,
    );
  };
}

/** Reads a count from 0 to 2^64 − 1, with all its digits. */
export function readCountSetting(texts: readonly string[]): Count {
  const text = singleValue(texts);
  const count = parseCount(text);
  if (count !== null) return count;
  throw new TidemarkError(
    'setting',
    `must be a whole number from 0 to ${MAX_U64}, not ${JSON.stringify(text)}`,
  );
}

/** Reads one of the given words. */
export function wordReader<Word extends string>(words: readonly Word[]): Setting<Word>['read'] {
  return (texts) => {
    const text = singleValue(texts);
    const word = words.find((candidate) => candidate === text);
    if (word === undefined)
      throw new TidemarkError('setting', `must be one of ${words.join(', ')}, not ${JSON.stringify(text)}`);
    return word;
  };
}

export function readTextSetting(texts: readonly string[]): string {
  return singleValue(texts);
}

export function readBooleanSetting(texts: readonly string[]): boolean {
  return wordReader(['true', 'false'])(texts) === 'true';
}

/** Reads URLs of HTTP servers, as a list or comma-separated. */
export function readHttpUrls(texts: readonly string[]): readonly string[] {
  const urls = texts.flatMap((text) => text.split(',')).map((text) => text.trim());
  const wrong = urls.filter((url) => !/^https?:\/\/[^/\s]/.test(url) || !URL.canParse(url));
  if (wrong.length > 0)
    throw new TidemarkError(
      'setting',
      `must be http:// or https:// URLs, not ${wrong.map((url) => JSON.stringify(url)).join(', ')}`,
    );
  return urls.filter((url, at) => urls.indexOf(url) === at);
}

function singleValue(texts: readonly string[]): string {
  if (texts.length === 1 && texts[0] !== undefined) return texts[0];
  throw new TidemarkError('setting', `must be one value, not ${texts.length}`);
}
