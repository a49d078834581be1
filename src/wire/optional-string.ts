import { field, stringOf } from './json-fields.js';
import type { JsonObjectNode } from './json-node.js';

/** A string, or `null` when the field is not there or null. */
export function optionalString(object: JsonObjectNode, name: string): string | null {
  const node = field(object, name);
  return node === undefined || node.kind === 'null' ? null : stringOf(node, name);
}
