import { hexBytes, hexText } from '../../src/wire/hex.js';

/** The bytes of a hexadecimal text that stands in a test. */
export function hex(text: string): Uint8Array {
  const bytes = hexBytes(text.replaceAll(' ', ''));
  if (bytes === undefined) throw new Error(`no hexadecimal: ${text}`);
  return bytes;
}

export { hexText };
