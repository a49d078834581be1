import { TidemarkError } from '../core/tidemark-error.js';
import { DecodeFailure } from './decode-error.js';
import { field, objectOf, requiredField, stringOf } from './json-fields.js';
import type { JsonNode, JsonObjectNode } from './json-node.js';
import { parseLosslessJson } from './lossless-json.js';
import { recordedEvent } from './recorded-event.js';
import { recordedExpectation } from './recorded-expectation.js';
import type { Recording, RecordingHeader, RecordingLine } from './recording.js';

/** A line that no recording has. `line` counts from 1. */
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
 * Parses a recording of version 1 (JSON Lines, UTF-8), all of it or nothing.
 *
 * 1. Line 1 is the header, which names the policy; other header fields are ignored.
 * 2. Every other line has `at`, never smaller than before, and exactly one of `event` and `expect`.
 * 3. Integers are read without loss, quoted or not.
 *
 * @throws RecordingError with the line and what is wrong there
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
        throw new DecodeFailure('malformed', `at is ${next.at}, but the line before has ${at}`, 0);
      at = next.at;
      lines.push(next);
    } catch (failure) {
      if (!(failure instanceof DecodeFailure)) throw failure;
      throw new RecordingError(line, `${failure.message} (column ${failure.offset + 1})`, { cause: failure });
    }
  }
  if (header === undefined)
    throw new RecordingError(1, 'the header is missing; a recording begins with {"tidemark":"recording",…}');
  return { header, lines };
}

function headerOf(object: JsonObjectNode): RecordingHeader {
  const mark = field(object, 'tidemark');
  if (mark?.kind !== 'string' || mark.value !== 'recording') {
    throw new DecodeFailure(
      'malformed',
      'this is no recording; one begins with {"tidemark":"recording","version":1,…}',
      0,
    );
  }
  const version = requiredField(object, 'version');
  if (version.kind !== 'number' || version.text !== '1') {
    const given = version.kind === 'number' ? version.text : version.kind;
    throw new DecodeFailure(
      'malformed',
      `version ${given} is not known; this tidemark reads version 1`,
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
  if (event !== undefined && expect === undefined) return { line, at, event: recordedEvent(event) };
  if (expect !== undefined && event === undefined) return { line, at, expect: recordedExpectation(expect) };
  throw new DecodeFailure('malformed', 'a line has exactly one of event and expect', object.offset);
}

function millisecondsOf(node: JsonNode): number {
  if (node.kind !== 'number')
    throw new DecodeFailure('wrong-type', 'at must be a number of milliseconds', node.offset);
  const at = Number(node.text);
  if (at < 0 || at === Infinity) throw new DecodeFailure('out-of-range', 'at must be 0 or more', node.offset);
  return at;
}

/** The lines that hold anything, with their numbers. */
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
