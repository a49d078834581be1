import { TidemarkError } from '../../core/errors.js';
import type { LoadPolicy } from '../../core/policy/load-policy.js';
import { MAX_ENTRIES, type ThresholdBook } from '../../fleet/thresholds/threshold-book.js';
import type {
  ThresholdChange,
  ThresholdEntry,
  ThresholdOrigin,
} from '../../fleet/thresholds/threshold-entry.js';
import { type JsonValue, parseJsonValue, stringifyJson } from '../../wire/json/json-value.js';
import {
  ThresholdJsonError,
  changeJson,
  entryJson,
  membersOf,
  readTarget,
  readThresholds,
  targetJsonNames,
  thresholdJsonNames,
} from './threshold-json.js';

const FORMAT = 1;

/** A file of a later release, which is not damaged. */
export class NewerFormatError extends TidemarkError {
  override readonly name = 'NewerFormatError';

  constructor(format: number) {
    super(
      'thresholds-format',
      `its format is ${format}, but this release of tidemark reads format ${FORMAT} only.`,
    );
  }
}

/** The contents of a book as the text of a file. */
export function thresholdFileText(book: ThresholdBook): string {
  const contents = {
    format: FORMAT,
    entries: book.entries().map(entryJson),
    changes: book.changes().map(changeJson),
  };
  return `${JSON.stringify(JSON.parse(stringifyJson(contents)), null, 2)}\n`;
}

/**
 * Parses the text of a file of thresholds.
 *
 * @param defaultOrigin the origin of entries without one, which were written by hand
 *
 * @throws TidemarkError that says what is wrong; NewerFormatError for a file of a later release
 */
export function parseThresholdFile(
  text: string,
  policy: LoadPolicy,
  defaultOrigin: ThresholdOrigin,
): { readonly entries: readonly ThresholdEntry[]; readonly changes: readonly ThresholdChange[] } {
  const parsed = parseJsonValue(text);
  if ('error' in parsed) throw new ThresholdJsonError(`it is not valid JSON: ${parsed.error.message}.`);
  const { value } = parsed;
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
  if (typeof format === 'number' && format > FORMAT) throw new NewerFormatError(format);
  const members = membersOf(value, 'the file', ['format', 'entries', 'changes']);
  if (format !== FORMAT) throw new ThresholdJsonError(`it has no format ${FORMAT}.`);
  const entries = listOf(members['entries']);
  if (entries.length > MAX_ENTRIES)
    throw new ThresholdJsonError(`it has ${entries.length} entries, but at most ${MAX_ENTRIES} are allowed.`);
  return {
    entries: entries.map((entry) => {
      const { target, thresholds, origin } = membersOf(entry, 'an entry', ['target', 'thresholds', 'origin']);
      return {
        target: readTarget(membersOf(target, 'a target', targetJsonNames)),
        thresholds: readSome(thresholds, policy),
        origin: origin === undefined ? defaultOrigin : readOrigin(origin),
      };
    }),
    changes: listOf(members['changes'] ?? []).map((change) => {
      const names = ['target', 'old', 'new', 'origin'];
      const { target, old: before = null, new: after = null, origin } = membersOf(change, 'a change', names);
      return {
        target: readTarget(membersOf(target, 'a target', targetJsonNames)),
        before: before === null ? null : readSome(before, policy),
        after: after === null ? null : readSome(after, policy),
        origin: readOrigin(origin),
      };
    }),
  };
}

function readSome(value: JsonValue | undefined, policy: LoadPolicy): ThresholdEntry['thresholds'] {
  return readThresholds(membersOf(value, 'thresholds', thresholdJsonNames), policy);
}

function readOrigin(value: JsonValue | undefined): ThresholdOrigin {
  const {
    at,
    address = null,
    token = null,
    route,
  } = membersOf(value, 'an origin', ['at', 'address', 'token', 'route']);
  const isAddress = address === null || typeof address === 'string';
  if (
    typeof at !== 'string' ||
    !isAddress ||
    (token !== null && token !== 'admin') ||
    typeof route !== 'string'
  )
    throw new ThresholdJsonError(
      'an origin must have the texts at and route, and may have address and token.',
    );
  return { at, address, token, route };
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  if (!Array.isArray(value)) throw new ThresholdJsonError('entries and changes must be lists.');
  return value as readonly JsonValue[];
}
