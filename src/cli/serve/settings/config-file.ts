import type * as yaml from 'yaml';
import { loadPackage } from '../../../adapters/packages/load-package.js';
import { PackageError } from '../../../core/errors.js';
import { errorText } from '../../../operators/error-text.js';
import { DecodeFailure } from '../../../wire/decode-error.js';
import { type JsonNode, parseLosslessJson } from '../../../wire/json/lossless-json.js';
import { readInput } from '../../read-input.js';
import { CliError } from '../../terminal.js';

/** What a file says, by name: the text of each value as it was written, so that `1.0` stays `1.0`. */
export type FileValues = ReadonlyMap<string, readonly string[]>;

/** What a file says, or what is wrong with it as a whole; a name whose value is no value is a problem too. */
export interface ConfigFile {
  readonly values: FileValues;
  readonly problems: readonly string[];
}

/** Reads a file of settings: JSON when its name ends with `.json`, else YAML, of which JSON is a part. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  let root: unknown;
  try {
    const bytes = readInput(path);
    root = path.toLowerCase().endsWith('.json')
      ? plainValue(parseLosslessJson(bytes))
      : await parseYaml(bytes);
  } catch (error) {
    const why = error instanceof DecodeFailure ? `${error.message} (byte ${error.offset})` : errorText(error);
    return {
      values: new Map(),
      problems: [error instanceof CliError ? why : `${path} cannot be read: ${why}`],
    };
  }
  if (root === null || root === '') return { values: new Map(), problems: [] };
  if (typeof root !== 'object' || Array.isArray(root)) {
    return { values: new Map(), problems: [`${path} must hold names and values, and nothing else.`] };
  }
  const values = new Map<string, readonly string[]>();
  const problems: string[] = [];
  for (const [name, value] of Object.entries(root as Readonly<Record<string, unknown>>)) {
    const texts = textsOf(value);
    if (texts === undefined) problems.push(`${name} in ${path} must be a value or a list of values.`);
    else if (texts.length > 0) values.set(name, texts);
  }
  return { values, problems };
}

/** Nothing, `null` and `~` are as if the name were absent. */
function textsOf(value: unknown): readonly string[] | undefined {
  if (value === null || value === '' || value === 'null' || value === '~') return [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value;
  return undefined;
}

/** Numbers and booleans stay texts. */
function plainValue(node: JsonNode): unknown {
  switch (node.kind) {
    case 'null':
      return null;
    case 'boolean':
      return String(node.value);
    case 'string':
      return node.value;
    case 'number':
      return node.text;
    case 'array':
      return node.items.map(plainValue);
    case 'object':
      return Object.fromEntries(node.members.map(({ key, value }) => [key, plainValue(value)]));
  }
}

async function parseYaml(bytes: Uint8Array): Promise<unknown> {
  const { parse } = await loadYamlPackage();
  // Of this schema every value is a text, as it was written.
  return parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), { schema: 'failsafe' }) as unknown;
}

async function loadYamlPackage(): Promise<typeof yaml> {
  try {
    return (await loadPackage('yaml', () => import('yaml'))).module;
  } catch (cause) {
    if (!(cause instanceof PackageError)) throw cause;
    throw new CliError(
      `A file in YAML needs a package. ${cause.message} (or write JSON into a file named .json)`,
      { cause },
    );
  }
}
