import { countOf } from '../../core/count.js';
import { type DecodeError, DecodeFailure, catchDecodeFailure } from '../decode-error.js';
import { encodeUtf8 } from '../text-codecs.js';
import { type JsonNode, type JsonObjectNode, parseLosslessJson } from './lossless-json.js';

/** A JSON value as plain data. A whole number beyond ±(2^53 − 1) is a `bigint`, every other number a `number`. */
export type JsonValue =
  null | boolean | number | bigint | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Parses one JSON document into plain data without losing digits. A duplicate key is an error. */
export function parseJsonValue(
  text: string,
): { readonly value: JsonValue } | { readonly error: DecodeError } {
  return catchDecodeFailure(() => ({ value: valueOf(parseLosslessJson(encodeUtf8(text))) }));
}

/** Parses the text of a JSON number. */
export function parseNumber(text: string): number | bigint {
  if (!/^-?[0-9]+$/.test(text)) return Number(text);
  const whole = BigInt(text);
  return whole < 0n ? negative(whole) : countOf(whole);
}

function negative(whole: bigint): number | bigint {
  return whole >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(whole) : whole;
}

/** Converts plain data into the node that its JSON would parse to. All offsets are 0. */
export function toJsonNode(value: JsonValue): JsonNode {
  if (value === null) return { kind: 'null', offset: 0 };
  if (typeof value === 'boolean') return { kind: 'boolean', offset: 0, value };
  if (typeof value === 'number' || typeof value === 'bigint')
    return { kind: 'number', offset: 0, text: String(value) };
  if (typeof value === 'string') return { kind: 'string', offset: 0, value };
  if (isList(value)) return { kind: 'array', offset: 0, items: value.map(toJsonNode) };
  const members = Object.entries(value).map(([key, inner]) => ({ key, offset: 0, value: toJsonNode(inner) }));
  return { kind: 'object', offset: 0, members };
}

function valueOf(node: JsonNode): JsonValue {
  switch (node.kind) {
    case 'null':
      return null;
    case 'boolean':
    case 'string':
      return node.value;
    case 'number':
      return parseNumber(node.text);
    case 'array':
      return node.items.map(valueOf);
    case 'object':
      return objectValueOf(node);
  }
}

function objectValueOf(node: JsonObjectNode): JsonValue {
  const entries = new Map<string, JsonValue>();
  for (const { key, offset, value } of node.members) {
    if (entries.has(key))
      throw new DecodeFailure('duplicate-key', `duplicate key ${JSON.stringify(key)}`, offset);
    entries.set(key, valueOf(value));
  }
  return Object.fromEntries(entries);
}

/** `Array.isArray` does not narrow a readonly array. */
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/**
 * Writes a value as one line of JSON, as in a recording: bigints, NaN and infinite numbers become strings.
 */
export function stringifyJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' || (typeof inner === 'number' && !Number.isFinite(inner))
      ? String(inner)
      : inner,
  );
}
