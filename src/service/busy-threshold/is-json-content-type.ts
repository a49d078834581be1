const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]";
const TYPE = new RegExp(`^(${TOKEN}+)/(${TOKEN}+)(?:;(.*))?$`, 's');
const PARAMETER = new RegExp(`^ *${TOKEN}+=(?:"[^\\x00-\\x1f"\\x7f]+" *|"?${TOKEN}+|)(?:;|$)`);

/**
 * Whether Dynamo's framework takes a body of this content type for JSON: `application/json`, or a subtype that ends
 * with `+json`, in any case, with parameters that are well formed.
 */
export function isJsonContentType(header: string | undefined): boolean {
  const match = TYPE.exec(header ?? '');
  if (match === null) return false;
  const [, type = '', subtype = '', parameters = ''] = match;
  const plus = subtype.lastIndexOf('+');
  const [name, suffix] = plus > 0 ? [subtype.slice(0, plus), subtype.slice(plus + 1)] : [subtype, ''];
  const json = [name, suffix].some((part) => part.toLowerCase() === 'json');
  return type.toLowerCase() === 'application' && json && areParameters(parameters);
}

function areParameters(text: string): boolean {
  for (let rest = text; rest !== '';) {
    const parameter = PARAMETER.exec(rest);
    if (parameter === null) return false;
    rest = rest.slice(parameter[0].length);
  }
  return true;
}
