const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of bytes that are UTF-8. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The text of bytes that are all ASCII. Of other UTF-8 it has fewer characters. */
export function plainText(bytes: Uint8Array): string | undefined {
  const text = utf8Text(bytes);
  return text?.length === bytes.length ? text : undefined;
}
