const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const NO_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Text as it may stand in XML, in content and in quotes. What XML 1.0 has no place for becomes U+FFFD. */
export function xmlText(text: string): string {
  return text.replace(NO_XML, '\ufffd').replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}

/** One SVG element. Attributes are escaped; children are elements already, or text from {@link xmlText}. */
export function svgElement(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly string[]
): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${xmlText(String(value))}"`);
  return children.length === 0
    ? `<${name}${list.join('')}/>`
    : `<${name}${list.join('')}>${children.join('')}</${name}>`;
}
