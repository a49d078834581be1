/**
 * A JSON value with everything its bytes said: where it stood, the text of a number, every member of an object,
 * also those whose key came before. `JSON.parse` loses all three, and a 64-bit id with the second.
 */
export type JsonNode =
  | { readonly kind: 'null'; readonly offset: number }
  | { readonly kind: 'boolean'; readonly offset: number; readonly value: boolean }
  | { readonly kind: 'number'; readonly offset: number; readonly text: string }
  | { readonly kind: 'string'; readonly offset: number; readonly value: string }
  | { readonly kind: 'array'; readonly offset: number; readonly items: readonly JsonNode[] }
  | JsonObjectNode;

/** A JSON object as written: the members in order, a repeated key as often as it stands there. */
export interface JsonObjectNode {
  readonly kind: 'object';
  readonly offset: number;
  readonly members: readonly JsonMember[];
}

/** One member of an object. */
export interface JsonMember {
  readonly key: string;
  readonly offset: number;
  readonly value: JsonNode;
}
