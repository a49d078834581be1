import { parseHex, formatHex } from '../../src/wire/text-codecs.js';

/** The bytes of a hexadecimal text in a test. */
export function hex(text: string): Uint8Array {
  const bytes = parseHex(text.replaceAll(' ', ''));
  if (bytes === undefined) throw new Error(`no hexadecimal: ${text}`);
  return bytes;
}

export { formatHex as hexText };
