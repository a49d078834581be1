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
 * Walks a struct in either form: a map with its names in any order, in which unknown names are skipped, or an array
 * of its fields in order. Calls `read` with the index of each field that is present.
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
    const field = fieldNamed(reader.bytes, reader.text(`a key of ${shape.name}`), shape.fields);
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

function fieldNamed(bytes: Uint8Array, key: ByteRange, fields: readonly string[]): number {
  return fields.findIndex((name) => isText(bytes, key, name));
}

/** Whether a range of bytes equals that ASCII text. */
export function isText(bytes: Uint8Array, { start, end }: ByteRange, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i += 1) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
