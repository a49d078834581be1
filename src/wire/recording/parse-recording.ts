import { TidemarkError } from '../../core/errors.js';
import type { LoadThresholds } from '../../core/policy/load-thresholds.js';
import type { ProblemCode } from '../../core/sources/problem.js';
import type { Cleanup } from '../../core/state/cleanup.js';
import { DecodeFailure } from '../decode-error.js';
import { field, itemsOf, objectOf, requiredField, stringOf, u32Of } from '../json/json-fields.js';
import { type JsonNode, type JsonObjectNode, parseLosslessJson } from '../json/lossless-json.js';
import { readRecordedEvent, readThresholds } from './recorded-event.js';
import { workerIdOf } from './recording-fields.js';
import type { Expectation, Recording, RecordingHeader, RecordingLine } from './recording.js';

/** Reads the expectation of a line. An unknown key is a failure, because it could not be checked. */
export function readExpectation(node: JsonNode): Expectation {
  const expectation: { -readonly [Key in keyof Expectation]: Expectation[Key] } = {};
  for (const { key, offset, value } of objectOf(node, 'expect').members) {
    if (key in expectation) throw new DecodeFailure('duplicate-key', `duplicate ${key}`, offset);
    if (key === 'busy') expectation.busy = itemsOf(value, key).map((id) => workerIdOf(id, key));
    else if (key === 'cleanup') expectation.cleanup = itemsOf(value, key).map(readCleanup);
    else if (key === 'thresholds') expectation.thresholds = readAllThresholds(value);
    else if (key === 'problems')
      expectation.problems = itemsOf(value, key).map((code) => stringOf(code, key) as ProblemCode);
    else throw new DecodeFailure('malformed', `${JSON.stringify(key)} is not a known expectation`, offset);
  }
  return expectation;
}

function readAllThresholds(node: JsonNode): LoadThresholds {
  const named = readThresholds(objectOf(node, 'thresholds'));
  return {
    activeDecodeBlocksThreshold: named.activeDecodeBlocksThreshold ?? null,
    activePrefillTokensThreshold: named.activePrefillTokensThreshold ?? null,
    activePrefillTokensThresholdFrac: named.activePrefillTokensThresholdFrac ?? null,
  };
}

function readCleanup(node: JsonNode): Cleanup {
  const object = objectOf(node, 'a cleanup');
  const typeNode = requiredField(object, 'workerType');
  const workerType = stringOf(typeNode, 'workerType');
  if (workerType !== 'decode' && workerType !== 'prefill') {
    throw new DecodeFailure('malformed', 'workerType must be decode or prefill', typeNode.offset);
  }
  return {
    workerId: workerIdOf(requiredField(object, 'workerId'), 'workerId'),
    dpRanks: itemsOf(requiredField(object, 'dpRanks'), 'dpRanks').map((rank) =>
      rank.kind === 'string' && rank.value === 'none' ? 'none' : u32Of(rank, 'dpRanks'),
    ),
    workerType,
  };
}

/** A line of a recording is invalid. `line` counts from 1. */
export class RecordingError extends TidemarkError {
  override readonly name = 'RecordingError';

  constructor(
    readonly line: number,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super('malformed-recording', `line ${line}: ${reason}`, options);
  }
}

/**
 * Parses a complete recording of version 1 (JSON Lines, UTF-8).
 *
 * 1. Line 1 is the header, which names the policy. Header fields other than `policy` and `description` are ignored.
 * 2. Every other line has `at`, which never decreases, and exactly one of `event` and `expect`.
 * 3. Integers are read without loss, quoted or not.
 *
 * @throws RecordingError with the first invalid line and the reason
 *
 * @example
 * ```ts
 * import { parseRecording } from 'tidemark/wire';
 *
 * const text = `{"tidemark":"recording","version":1,"policy":"default"}
 * {"at":5,"event":{"kind":"marked","workerId":18446744073709551615}}`;
 * const { lines } = parseRecording(new TextEncoder().encode(text));
 * console.log(lines[0] && 'event' in lines[0] && lines[0].event);
 * // Logs: { kind: 'marked', workerId: '18446744073709551615' }
 * ```
 */
export function parseRecording(bytes: Uint8Array): Recording {
  const lines: RecordingLine[] = [];
  let header: RecordingHeader | undefined;
  let at = 0;
  for (const { line, text } of linesOf(bytes)) {
    try {
      const object = objectOf(parseLosslessJson(text), 'a line');
      if (header === undefined) {
        header = headerOf(object);
        continue;
      }
      const next = lineOf(object, line);
      if (next.at < at)
        throw new DecodeFailure(
          'malformed',
          `at is ${next.at}, which is less than the ${at} of the line before`,
          0,
        );
      at = next.at;
      lines.push(next);
    } catch (failure) {
      if (!(failure instanceof DecodeFailure)) throw failure;
      throw new RecordingError(line, `${failure.message} (column ${failure.offset + 1})`, { cause: failure });
    }
  }
  if (header === undefined)
    throw new RecordingError(1, 'the header is missing: a recording begins with {"tidemark":"recording",…}');
  return { header, lines };
}

function headerOf(object: JsonObjectNode): RecordingHeader {
  const format = field(object, 'tidemark');
  if (format?.kind !== 'string' || format.value !== 'recording') {
    throw new DecodeFailure(
      'malformed',
      'this is not a recording: a recording begins with {"tidemark":"recording","version":1,…}',
      0,
    );
  }
  const version = requiredField(object, 'version');
  if (version.kind !== 'number' || version.text !== '1') {
    const given = version.kind === 'number' ? version.text : version.kind;
    throw new DecodeFailure(
      'malformed',
      `version ${given} is not supported: this release of tidemark reads version 1`,
      version.offset,
    );
  }
  const description = field(object, 'description');
  return {
    policy: stringOf(requiredField(object, 'policy'), 'policy'),
    description: description?.kind === 'string' ? description.value : '',
  };
}

function lineOf(object: JsonObjectNode, line: number): RecordingLine {
  const at = millisecondsOf(requiredField(object, 'at'));
  const event = field(object, 'event');
  const expect = field(object, 'expect');
  if (event !== undefined && expect === undefined) return { line, at, event: readRecordedEvent(event) };
  if (expect !== undefined && event === undefined) return { line, at, expect: readExpectation(expect) };
  throw new DecodeFailure('malformed', 'a line must have exactly one of event and expect', object.offset);
}

function millisecondsOf(node: JsonNode): number {
  if (node.kind !== 'number')
    throw new DecodeFailure('wrong-type', 'at must be a number of milliseconds', node.offset);
  const at = Number(node.text);
  if (at < 0 || at === Infinity) throw new DecodeFailure('out-of-range', 'at must be 0 or more', node.offset);
  return at;
}

/** The lines that are not blank, with their numbers. */
function* linesOf(bytes: Uint8Array): Generator<{ readonly line: number; readonly text: Uint8Array }> {
  let line = 0;
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    line += 1;
    const text = bytes.subarray(start, end);
    if (text.some((byte) => byte !== 0x20 && byte !== 0x0d && byte !== 0x09)) yield { line, text };
    start = end + 1;
  }
}
