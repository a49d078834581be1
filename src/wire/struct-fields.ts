import { DecodeFailure } from './decode-error.js';
import { requiredField } from './json-fields.js';
import type { JsonMember, JsonNode, JsonObjectNode } from './json-node.js';

/** The fields of a struct, by name. */
export interface StructFields<Name extends string> {
  /** The field, or a failure that names it. */
  readonly required: (name: Name) => JsonNode;
  /** What `read` makes of the field; `null` when it is not there or null. */
  readonly optional: <T>(name: Name, read: (node: JsonNode, name: string) => T) => T | null;
}

/**
 * The fields of what Rust would read as a struct out of a JSON value: an object, of which the last value of a repeated
 * key counts, or an array of all its fields in their order.
 *
 * @throws DecodeFailure, inside this room
 */
export function structFields<Name extends string>(
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

/** A struct as an object; the elements of an array get the names. */
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
