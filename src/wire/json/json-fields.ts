import { type Count, MAX_U32, MAX_U64, countOf } from '../../core/count.js';
import { type DecodeErrorCode, DecodeFailure } from '../decode-error.js';
import type { JsonMember, JsonNode, JsonObjectNode } from './lossless-json.js';

const INTEGER = /^(?:0|[1-9][0-9]*)$/;

/** The node as an object; `what` names it in the failure. */
export function objectOf(node: JsonNode, what: string): JsonObjectNode {
  if (node.kind !== 'object') fail('wrong-type', `${what} must be an object, not ${nameOf(node)}`, node);
  return node;
}

/** The member with that name, or `undefined`. A duplicate name is a failure. */
export function field(object: JsonObjectNode, name: string): JsonNode | undefined {
  let found: JsonNode | undefined;
  for (const member of object.members) {
    if (member.key !== name) continue;
    if (found !== undefined) throw new DecodeFailure('duplicate-key', `duplicate ${name}`, member.offset);
    found = member.value;
  }
  return found;
}

/** The member with that name. A missing member is a failure. */
export function requiredField(object: JsonObjectNode, name: string): JsonNode {
  return field(object, name) ?? fail('missing-field', `${name} is missing`, object);
}

/** An unsigned integer of at most `max`. A float is a failure, even if its value is whole. */
export function uintOf(node: JsonNode, name: string, max: Count = MAX_U64): bigint {
  if (node.kind !== 'number') fail('wrong-type', `${name} must be an integer, not ${nameOf(node)}`, node);
  if (!INTEGER.test(node.text)) {
    const code =
      node.text.startsWith('-') && INTEGER.test(node.text.slice(1)) ? 'out-of-range' : 'wrong-type';
    fail(code, `${name} must be an unsigned integer, not ${node.text}`, node);
  }
  const value = BigInt(node.text);
  if (value > max) fail('out-of-range', `${name} must be at most ${max}, not ${node.text}`, node);
  return value;
}

/** An unsigned integer of at most 2^32 − 1 as a number. */
export function u32Of(node: JsonNode, name: string): number {
  return Number(uintOf(node, name, MAX_U32));
}

/** Like {@link u32Of} for a member; `defaultValue` if the member is absent. */
export function u32Field(object: JsonObjectNode, name: string, defaultValue: number): number {
  const node = field(object, name);
  return node === undefined ? defaultValue : u32Of(node, name);
}

/** Like {@link u32Of} for a member; `null` if the member is absent or null. */
export function optionalU32(object: JsonObjectNode, name: string): number | null {
  const node = field(object, name);
  return node === undefined || node.kind === 'null' ? null : u32Of(node, name);
}

/** A count; `null` if the node is absent or null. */
export function countOrNull(node: JsonNode | undefined, name: string): Count | null {
  return node === undefined || node.kind === 'null' ? null : countOf(uintOf(node, name));
}

/** Like {@link countOrNull} for a member. */
export function optionalCount(object: JsonObjectNode, name: string): Count | null {
  return countOrNull(field(object, name), name);
}

/** The elements of an array. */
export function itemsOf(node: JsonNode, name: string): readonly JsonNode[] {
  if (node.kind !== 'array') fail('wrong-type', `${name} must be an array, not ${nameOf(node)}`, node);
  return node.items;
}

/** The text of a number of any form. */
export function numberOf(node: JsonNode, name: string): string {
  if (node.kind !== 'number') fail('wrong-type', `${name} must be a number, not ${nameOf(node)}`, node);
  return node.text;
}

/** A string. */
export function stringOf(node: JsonNode, name: string): string {
  if (node.kind !== 'string') fail('wrong-type', `${name} must be a string, not ${nameOf(node)}`, node);
  return node.value;
}

/** A string; `null` if the member is absent or null. */
export function optionalString(object: JsonObjectNode, name: string): string | null {
  const node = field(object, name);
  return node === undefined || node.kind === 'null' ? null : stringOf(node, name);
}

function fail(code: DecodeErrorCode, message: string, node: { readonly offset: number }): never {
  throw new DecodeFailure(code, message, node.offset);
}

function nameOf(node: JsonNode): string {
  return node.kind === 'number' ? node.text.slice(0, 40) : node.kind;
}

/** The fields of a struct, by name. */
export interface StructFields<Name extends string> {
  /** The field. A missing field is a failure. */
  readonly required: (name: Name) => JsonNode;
  /** The result of `read`; `null` if the field is absent or null. */
  readonly optional: <T>(name: Name, read: (node: JsonNode, name: string) => T) => T | null;
}

/**
 * The fields of a JSON value that Rust reads as a struct: an object, in which the last of several values of one key
 * counts, or an array of all fields in order.
 *
 * @throws DecodeFailure (internal to wire/)
 */
export function readStruct<Name extends string>(
  node: JsonNode,
  what: string,
  names: readonly Name[],
): StructFields<Name> {
  const object = structObject(node, what, names);
  const byKey = new Map(object.members.map((member) => [member.key, member.value]));
  return {
    required: (name) => byKey.get(name) ?? requiredField(object, name),
    optional: (name, read) => {
      const field = byKey.get(name);
      return field === undefined || field.kind === 'null' ? null : read(field, name);
    },
  };
}

/** A struct as an object. The elements of an array get the names of the fields. */
export function structObject(node: JsonNode, what: string, names: readonly string[]): JsonObjectNode {
  if (node.kind === 'object') return node;
  if (node.kind !== 'array')
    throw new DecodeFailure('wrong-type', `${what} must be an object, not ${node.kind}`, node.offset);
  if (node.items.length !== names.length) {
    const text = `${what} as an array must have ${names.length} elements, not ${node.items.length}`;
    throw new DecodeFailure('wrong-length', text, node.offset);
  }
  const members = node.items.map((value, at): JsonMember => ({
    key: names[at] ?? '',
    offset: value.offset,
    value,
  }));
  return { kind: 'object', offset: node.offset, members };
}
