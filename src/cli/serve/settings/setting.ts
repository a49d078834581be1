import { countOf, MAX_U64, type Count } from '../../../core/count.js';

/** One thing that can be set: by a flag, by an environment variable, or in a file under its name. */
export interface Setting<T = unknown> {
  readonly name: string;
  /** As commander writes it. */
  readonly flag: string;
  readonly env: string;
  readonly text: string;
  /** Absent: nothing, when nobody sets it. */
  readonly defaultValue?: T;
  /** Reads what was written. @throws Error whose message says what belongs there, as in "must be …" */
  readonly read: (texts: readonly string[]) => T;
  /** It is not shown. */
  readonly isSecret?: true;
}

/** A whole number, or with `fraction` any, of `least` to `most`. */
export function numberReader(min: number, max: number, { fraction = false } = {}): Setting<number>['read'] {
  return (texts) => {
    const text = singleValue(texts);
    const value = text.trim() === '' ? NaN : Number(text);
    if ((fraction || Number.isInteger(value)) && value >= min && value <= max) return value;
    throw new Error(
      `must be a ${fraction ? '' : 'whole '}number from ${min} to ${max}, not ${JSON.stringify(text)}`,
    );
  };
}

/** A count of 0 to 2^64 − 1, with all its digits. */
export function readCountSetting(texts: readonly string[]): Count {
  const text = singleValue(texts);
  if (/^[0-9]{1,20}$/.test(text) && BigInt(text) <= MAX_U64) return countOf(BigInt(text));
  throw new Error(`must be a whole number from 0 to ${MAX_U64}, not ${JSON.stringify(text)}`);
}

/** One of some words. */
export function wordReader<Word extends string>(words: readonly Word[]): Setting<Word>['read'] {
  return (texts) => {
    const text = singleValue(texts);
    const word = words.find((one) => one === text);
    if (word === undefined)
      throw new Error(`must be one of ${words.join(', ')}, not ${JSON.stringify(text)}`);
    return word;
  };
}

export function readTextSetting(texts: readonly string[]): string {
  return singleValue(texts);
}

export function readBooleanSetting(texts: readonly string[]): boolean {
  return wordReader(['true', 'false'])(texts) === 'true';
}

/** Addresses of HTTP servers, in a list or with commas between them. */
export function readHttpUrls(texts: readonly string[]): readonly string[] {
  const urls = texts.flatMap((text) => text.split(',')).map((text) => text.trim());
  const wrong = urls.filter((url) => !/^https?:\/\/[^/\s]/.test(url) || !URL.canParse(url));
  if (wrong.length > 0)
    throw new Error(
      `must be http:// or https:// URLs, not ${wrong.map((url) => JSON.stringify(url)).join(', ')}`,
    );
  return urls.filter((url, at) => urls.indexOf(url) === at);
}

function singleValue(texts: readonly string[]): string {
  if (texts.length === 1 && texts[0] !== undefined) return texts[0];
  throw new Error(`must be one value, not ${texts.length}`);
}
