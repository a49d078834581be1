import { DecodeFailure } from '../decode-error.js';
import type { ByteRange, MsgpackReader } from './msgpack-reader.js';

/** The name and the fields of a struct. */
export interface StructShape {
  readonly name: string;
  readonly fields: readonly string[];
  readonly required: readonly string[];
  /** The allowed numbers of elements of the array form. */
  readonly lengths: readonly number[];
}

/**
 * Walks a struct in either form, as serde reads it. Calls `read` with the index of each field that is present.
 *
 * 1. A map: its keys are names or indices of fields, in any order. Unknown names and indices are skipped.
 * 2. An array: the fields in order.
 */
export function walkStruct(reader: MsgpackReader, shape: StructShape, read: (field: number) => void): void {
  const at = reader.offset;
  const { form, size } = reader.structure(shape.name);
  if (form === 'array') {
    if (!shape.lengths.includes(size)) {
      const text = `${shape.name} as an array must have ${shape.lengths.join(' or ')} elements, not ${size}`;
      throw new DecodeFailure('wrong-length', text, at);
    }
    for (let field = 0; field < size; field += 1) read(field);
    return;
  }
  let seen = 0;
  for (let entry = 0; entry < size; entry += 1) {
    const keyAt = reader.offset;
    const field = fieldOf(reader, shape);
    if (field === -1) {
      reader.skip();
      continue;
    }
    if ((seen & (1 << field)) !== 0) {
      throw new DecodeFailure('duplicate-key', `duplicate ${shape.fields[field]} in ${shape.name}`, keyAt);
    }
    seen |= 1 << field;
    read(field);
  }
  for (const name of shape.required) {
    if ((seen & (1 << shape.fields.indexOf(name))) === 0) {
      throw new DecodeFailure('missing-field', `${name} is missing in ${shape.name}`, at);
    }
  }
}

/** Reads a key and returns the index of the field that it means, −1 for an unknown one. */
function fieldOf(reader: MsgpackReader, { name: struct, fields }: StructShape): number {
  const key = reader.key(`a key of ${struct}`);
  if (typeof key === 'number') return key < fields.length ? key : -1;
  return fields.findIndex((name) => isText(reader.bytes, key, name));
}

/** Whether a range of bytes equals that ASCII text. */
export function isText(bytes: Uint8Array, { start, end }: ByteRange, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i += 1) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
