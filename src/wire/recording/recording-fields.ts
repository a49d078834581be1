import { type Count, countOf } from '../../core/count.js';
import { workerId, WorkerIdError, type WorkerId } from '../../core/worker-id.js';
import { DecodeFailure } from '../decode-error.js';
import { field, itemsOf, requiredField, stringOf, uintOf } from '../json/json-fields.js';
import type { JsonNode, JsonObjectNode } from '../json/lossless-json.js';
import { parseHex } from '../text-codecs.js';

const FLOATS: Readonly<Record<string, number>> = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity };

/** A worker id: a decimal string, or an integer, which is read without loss. */
export function workerIdOf(node: JsonNode, name: string): WorkerId {
  const text = node.kind === 'number' ? node.text : stringOf(node, name);
  try {
    return workerId(text);
  } catch (error) {
    if (!(error instanceof WorkerIdError)) throw error;
    throw new DecodeFailure('out-of-range', `${name}: ${error.message}`, node.offset);
  }
}

/** A count: an integer of any size, or a decimal string. `null` if the member is absent or null. */
export function countField(object: JsonObjectNode, name: string): Count | null {
  const node = field(object, name);
  if (node === undefined || node.kind === 'null') return null;
  if (node.kind !== 'string') return countOf(uintOf(node, name));
  return countOf(uintOf({ kind: 'number', offset: node.offset, text: node.value }, name));
}

/** A fraction: a number, or one of the strings NaN, Infinity, -Infinity. */
export function fractionOf(node: JsonNode, name: string): number {
  if (node.kind === 'number') return Number(node.text);
  const special = FLOATS[stringOf(node, name)];
  if (special === undefined) throw new DecodeFailure('wrong-type', `${name} must be a number`, node.offset);
  return special;
}

/** A member that is an array of worker ids. */
export function workerIdsField(object: JsonObjectNode, name: string): WorkerId[] {
  return itemsOf(requiredField(object, name), name).map((node) => workerIdOf(node, name));
}

/** A boolean. */
export function booleanOf(node: JsonNode, name: string): boolean {
  if (node.kind !== 'boolean')
    throw new DecodeFailure('wrong-type', `${name} must be true or false`, node.offset);
  return node.value;
}

/** Bytes in hexadecimal. */
export function bytesOf(node: JsonNode, name: string): Uint8Array {
  const bytes = parseHex(stringOf(node, name));
  if (bytes === undefined)
    throw new DecodeFailure('malformed', `${name} is not valid hexadecimal`, node.offset);
  return bytes;
}

/** An object with the member if it is present, and without it otherwise. */
export function optionalMember<Name extends string, T>(
  name: Name,
  node: JsonNode | undefined,
  read: (node: JsonNode, name: string) => T,
): { [N in Name]?: T } {
  return (node === undefined ? {} : { [name]: read(node, name) }) as { [N in Name]?: T };
}

/** One of the given strings. */
export function oneOf<T extends string>(node: JsonNode, name: string, values: readonly T[]): T {
  const text = stringOf(node, name);
  const found = values.find((value) => value === text);
  if (found === undefined)
    throw new DecodeFailure('malformed', `${name} must be ${values.join(' or ')}`, node.offset);
  return found;
}
