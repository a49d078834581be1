import { DecodeFailure } from '../decode-error.js';
import type { ByteRange, MsgpackReader } from './msgpack-reader.js';

/** How a struct is named and which of its fields must be there. */
export interface StructShape {
  readonly name: string;
  readonly fields: readonly string[];
  readonly required: readonly string[];
  /** How many elements the positional form may have. */
  readonly lengths: readonly number[];
}

/**
 * Walks a struct in either of its two forms: a map with names in any order, unknown ones passed over, or an
 * array of its fields in order. `read` is called with the index of each field that is there.
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
      throw new DecodeFailure('duplicate-key', `${shape.fields[field]} stands twice in ${shape.name}`, keyAt);
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

/** Whether a run of bytes is that ASCII text. */
export function isText(bytes: Uint8Array, { start, end }: ByteRange, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i += 1) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
