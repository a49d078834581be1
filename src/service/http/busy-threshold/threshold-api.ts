import { ThresholdError, rustFloat } from '../../../core/policy/load-threshold-config.js';
import type { LoadThresholds } from '../../../core/policy/load-thresholds.js';
import type { Pools } from '../../../fleet/pools/pools.js';
import { ThresholdBookError } from '../../../fleet/thresholds/threshold-book.js';
import type { ThresholdOrigin } from '../../../fleet/thresholds/threshold-entry.js';
import { RequestBodyError, formatSerdeFloat } from './serde-json.js';
import { type ThresholdRequest, parseThresholdRequest } from './threshold-request.js';

/** The thresholds of a model, byte for byte as Dynamo writes them. Without thresholds, every value is null. */
function thresholdEntryJson(model: string, thresholds: LoadThresholds | undefined): string {
  const float = (value: number | null | undefined): string =>
    value == null ? 'null' : formatSerdeFloat(value);
  const tokens = thresholds?.activePrefillTokensThreshold ?? null;
  return (
    `{"model":${JSON.stringify(model)}` +
    `,"active_decode_blocks_threshold":${float(thresholds?.activeDecodeBlocksThreshold)}` +
    `,"active_prefill_tokens_threshold":${tokens}` +
    `,"active_prefill_tokens_threshold_frac":${float(thresholds?.activePrefillTokensThresholdFrac)}}`
  );
}

/** The Dynamo release whose threshold API is served. */
export type ApiRelease = '1.0' | '1.6';

/** A response of the threshold API. */
export interface ThresholdReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why a request may not set thresholds; `null` if it may. */
export type ChangeRefusal = {
  readonly status: number;
  readonly message: string;
  readonly headers?: Record<string, string>;
} | null;

const JSON_TYPE = 'application/json';
export const TEXT_TYPE = 'text/plain; charset=utf-8';

/** The thresholds in force of every present model and adapter: those of its first pool. */
function thresholdsByModel(pools: Pools): ReadonlyMap<string, LoadThresholds | undefined> {
  const byModel = new Map<string, LoadThresholds | undefined>();
  for (const { name, monitor } of pools.list()) {
    if (!byModel.has(name.model)) byModel.set(name.model, monitor.snapshot()?.thresholds);
  }
  for (const { name: model, adapterOf } of pools.models()) {
    if (adapterOf !== null && !byModel.has(model)) byModel.set(model, pools.book.inForceFor({ model }));
  }
  return byModel;
}

/** `GET /busy_threshold`: the thresholds of every present model and adapter. */
export function listThresholds(pools: Pools): ThresholdReply {
  const byModel = thresholdsByModel(pools);
  const answers = [...byModel].map(([model, thresholds]) => thresholdEntryJson(model, thresholds));
  return { status: 200, contentType: JSON_TYPE, body: `{"thresholds":[${answers.join(',')}]}` };
}

/**
 * `POST /busy_threshold`: returns the thresholds of a model, after changing the given ones for the model.
 *
 * 1. The body is parsed as in Dynamo's framework. Invalid JSON gives 400 as plain text, a value of the wrong type 422.
 * 2. A fraction outside its range gives 400, even for an unknown model. Release 1.0 accepts any batch fraction.
 * 3. For a model without workers, reading returns null values, and setting gives 404.
 */
export function answerThresholdRequest(
  body: Uint8Array,
  pools: Pools,
  release: ApiRelease,
  { refusal, origin }: { readonly refusal: () => ChangeRefusal; readonly origin: () => ThresholdOrigin },
): ThresholdReply {
  let request: ThresholdRequest;
  try {
    request = parseThresholdRequest(body);
  } catch (error) {
    if (!(error instanceof RequestBodyError)) throw error;
    const { kind, message } = error;
    if (kind === 'data') return errorReply(422, `The JSON body is invalid: ${message}.`);
    return { status: 400, contentType: TEXT_TYPE, body: `The request body is not valid JSON: ${message}.` };
  }
  const { model, ...thresholds } = request;
  const problem = rangeProblem(thresholds, release);
  if (problem !== null) return errorReply(400, problem);
  const given = Object.fromEntries(Object.entries(thresholds).filter(([, threshold]) => threshold !== null));
  const isChange = Object.keys(given).length > 0;
  const refused = isChange ? refusal() : null;
  if (refused !== null)
    return { ...errorReply(refused.status, refused.message), headers: refused.headers ?? {} };
  if (isChange && !thresholdsByModel(pools).has(model)) {
    return errorReply(404, `Model '${model}' not found. Thresholds can only be set for discovered models.`);
  }
  try {
    if (isChange) pools.book.set({ model }, given, origin());
  } catch (error) {
    // The policy may be stricter than the release. No release limits the number of models.
    if (error instanceof ThresholdError) return errorReply(400, error.message);
    if (error instanceof ThresholdBookError) return errorReply(409, error.message);
    throw error;
  }
  const body200 = thresholdEntryJson(model, thresholdsByModel(pools).get(model));
  return { status: 200, contentType: JSON_TYPE, body: body200 };
}

function rangeProblem(thresholds: LoadThresholds, release: ApiRelease): string | null {
  const { activeDecodeBlocksThreshold: decode, activePrefillTokensThresholdFrac: frac } = thresholds;
  if (decode !== null && !(decode >= 0 && decode <= 1))
    return `active_decode_blocks_threshold must be between 0.0 and 1.0, got ${rustFloat(decode)}`;
  if (release === '1.6' && frac !== null && !(frac >= 0))
    return `active_prefill_tokens_threshold_frac must be a finite value greater than or equal to 0.0, got ${rustFloat(frac)}`;
  return null;
}

function errorReply(status: number, error: string): ThresholdReply {
  return { status, contentType: JSON_TYPE, body: JSON.stringify({ error }) };
}
