import type * as yaml from 'yaml';
import { loadPackage } from '../../adapters/packages/load-package.js';
import { PackageError } from '../../core/errors.js';
import { errorText } from '../../operators/error-text.js';
import { DecodeFailure } from '../../wire/decode-error.js';
import { type JsonNode, parseLosslessJson } from '../../wire/json/lossless-json.js';
import { readInput } from '../read-input.js';
import { CliError } from '../terminal.js';

/** The values in a file by name. Each keeps the text in which it was written, so that `1.0` stays `1.0`. */
export type FileValues = ReadonlyMap<string, readonly string[]>;

/** The values in a file, and the problems of the file and of its values. */
export interface ConfigFile {
  readonly values: FileValues;
  readonly problems: readonly string[];
}

/** Reads a file of settings: JSON if its name ends with `.json`, otherwise YAML. */
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
      problems: [error instanceof CliError ? why : `Cannot read ${path}: ${why}`],
    };
  }
  if (root === null || root === '') return { values: new Map(), problems: [] };
  if (typeof root !== 'object' || Array.isArray(root)) {
    return { values: new Map(), problems: [`${path} must be a mapping from names to values.`] };
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

/** An empty value, `null` and `~` count as absent. */
function textsOf(value: unknown): readonly string[] | undefined {
  if (value === null || value === '' || value === 'null' || value === '~') return [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value;
  return undefined;
}

/** Numbers and booleans stay text. */
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
  // In this schema every value is a string, exactly as written.
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
