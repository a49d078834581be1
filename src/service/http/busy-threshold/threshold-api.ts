import { rustFloat } from '../../../core/policy/load-threshold-config.js';
import type { LoadThresholds } from '../../../core/policy/load-thresholds.js';
import type { Pools } from '../../pools/pools.js';
import { RequestBodyError, formatSerdeFloat } from './serde-json.js';
import { type ThresholdRequest, parseThresholdRequest } from './threshold-request.js';

/** The marks of one model as Dynamo writes them, byte for byte; without any, every mark is null. */
export function thresholdEntryJson(model: string, thresholds: LoadThresholds | undefined): string {
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

/** Whose threshold API is spoken. */
export type ApiRelease = '1.0' | '1.6';

/** An answer of the threshold API. */
export interface ThresholdReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why a caller may not set marks, `null` when it may. */
export type ChangeRefusal = {
  readonly status: number;
  readonly message: string;
  readonly headers?: Record<string, string>;
} | null;

const JSON_TYPE = 'application/json';
export const TEXT_TYPE = 'text/plain; charset=utf-8';

/** `GET /busy_threshold`: the marks of every model that is there. */
export function listThresholds(pools: Pools): ThresholdReply {
  const byModel = new Map<string, LoadThresholds | undefined>();
  for (const { name, monitor } of pools.list()) {
    if (!byModel.has(name.model)) byModel.set(name.model, monitor.snapshot()?.thresholds);
  }
  const answers = [...byModel].map(([model, marks]) => thresholdEntryJson(model, marks));
  return { status: 200, contentType: JSON_TYPE, body: `{"thresholds":[${answers.join(',')}]}` };
}

/**
 * `POST /busy_threshold`: reads the marks of a model, or changes those that are given in all of its pools and reads them.
 *
 * 1. The body is read as Dynamo's framework does. A text that is no JSON is 400 as plain text, a value that does not
 *    belong there 422.
 * 2. A fraction out of its range is 400, whatever the model; release 1.0 takes any batch fraction.
 * 3. Marks of a model that is not there are null; setting them is 404.
 */
export function answerThresholdRequest(
  body: Uint8Array,
  pools: Pools,
  release: ApiRelease,
  refusal: () => ChangeRefusal,
): ThresholdReply {
  let request: ThresholdRequest;
  try {
    request = parseThresholdRequest(body);
  } catch (error) {
    if (!(error instanceof RequestBodyError)) throw error;
    const { kind, message } = error;
    if (kind === 'data') return errorReply(422, `The JSON body does not fit: ${message}.`);
    return { status: 400, contentType: TEXT_TYPE, body: `The request body is no JSON: ${message}.` };
  }
  const { model, ...thresholds } = request;
  const problem = rangeProblem(thresholds, release);
  if (problem !== null) return errorReply(400, problem);
  const given = Object.fromEntries(Object.entries(thresholds).filter(([, mark]) => mark !== null));
  const isChange = Object.keys(given).length > 0;
  const refused = isChange ? refusal() : null;
  if (refused !== null)
    return { ...errorReply(refused.status, refused.message), headers: refused.headers ?? {} };
  const own = pools.list().filter(({ name }) => name.model === model);
  if (isChange && own.length === 0) {
    return errorReply(404, `Model '${model}' not found. Thresholds can only be set for discovered models.`);
  }
  if (isChange) for (const pool of own) pool.setThresholds(given);
  const body200 = thresholdEntryJson(model, own[0]?.monitor.snapshot()?.thresholds);
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
