import type { Count } from '../../core/count.js';
import { jsonReady } from '../../core/ordinary-value.js';
import type { LoadThresholds } from '../../core/policy/load-thresholds.js';
import { parseJsonValue, type JsonValue } from '../../wire/json/json-value.js';
import { ServiceError } from '../service-error.js';

/** The thresholds in force at a frontend, by model. */
export type ThresholdsByModel = ReadonlyMap<string, LoadThresholds>;

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Fetches the thresholds of a Dynamo frontend.
 *
 * @throws ServiceError, code `frontend`, that says what is wrong and what to check
 */
export async function fetchThresholds(url: string, timeoutMs: number): Promise<ThresholdsByModel> {
  let text: string;
  try {
    const response = await fetch(new URL('busy_threshold', url.endsWith('/') ? url : `${url}/`), {
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: 'application/json' },
    });
    text = await textOf(response);
    if (response.status === 404)
      throw failure('has no /busy_threshold: check whether DYN_DISABLE_FRONTEND_ADMIN_API is set there');
    if (response.status !== 200) throw failure(`answers with status ${response.status}`);
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw failure(`cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`, error);
  }
  const parsed = parseJsonValue(text);
  const thresholds = 'error' in parsed ? undefined : member(parsed.value, 'thresholds');
  if (!Array.isArray(thresholds)) throw failure('answers with a body that is not a list of thresholds');
  return jsonReady(new Map((thresholds as readonly JsonValue[]).map(entryOf)));
}

function entryOf(entry: JsonValue): [string, LoadThresholds] {
  const model = member(entry, 'model');
  if (typeof model !== 'string') throw failure('lists thresholds without a model');
  return [
    model,
    jsonReady({
      activeDecodeBlocksThreshold: numberMember(entry, 'active_decode_blocks_threshold'),
      activePrefillTokensThreshold: countMember(entry, 'active_prefill_tokens_threshold'),
      activePrefillTokensThresholdFrac: numberMember(entry, 'active_prefill_tokens_threshold_frac'),
    }),
  ];
}

function countMember(entry: JsonValue, name: string): Count | null {
  const value = member(entry, name) ?? null;
  if (value === null || typeof value === 'bigint' || typeof value === 'number') return value;
  throw failure(`lists a ${name} that is not a number`);
}

function numberMember(entry: JsonValue, name: string): number | null {
  const value = countMember(entry, name);
  return value === null ? null : Number(value);
}

function member(value: JsonValue, name: string): JsonValue | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, JsonValue>>)[name]
    : undefined;
}

async function textOf({ body }: Response): Promise<string> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw failure(`answers with more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function failure(what: string, cause?: unknown): ServiceError {
  return new ServiceError(502, 'frontend', `The frontend ${what}`, { cause });
}
