import type { Cleanup } from '../core/cleanup.js';
import type { LoadThresholds } from '../core/load-thresholds.js';
import type { ProblemCode } from '../core/problem.js';
import { DecodeFailure } from './decode-error.js';
import { objectOf, requiredField, stringOf } from './json-fields.js';
import type { JsonNode } from './json-node.js';
import type { Expectation } from './recording.js';
import { marks } from './recorded-event.js';
import { itemsOf, rankOf, workerIdOf } from './recording-fields.js';

/** What a line of a recording expects. An unknown key is a failure: what it expects would go unchecked. */
export function recordedExpectation(node: JsonNode): Expectation {
  const expectation: { -readonly [Key in keyof Expectation]: Expectation[Key] } = {};
  for (const { key, offset, value } of objectOf(node, 'expect').members) {
    if (key in expectation) throw new DecodeFailure('duplicate-key', `${key} stands twice`, offset);
    if (key === 'busy') expectation.busy = itemsOf(value, key).map((id) => workerIdOf(id, key));
    else if (key === 'cleanup') expectation.cleanup = itemsOf(value, key).map(cleanup);
    else if (key === 'thresholds') expectation.thresholds = allMarks(value);
    else if (key === 'problems')
      expectation.problems = itemsOf(value, key).map((code) => stringOf(code, key) as ProblemCode);
    else throw new DecodeFailure('malformed', `this version expects no ${JSON.stringify(key)}`, offset);
  }
  return expectation;
}

function allMarks(node: JsonNode): LoadThresholds {
  const named = marks(objectOf(node, 'thresholds'));
  return {
    activeDecodeBlocksThreshold: named.activeDecodeBlocksThreshold ?? null,
    activePrefillTokensThreshold: named.activePrefillTokensThreshold ?? null,
    activePrefillTokensThresholdFrac: named.activePrefillTokensThresholdFrac ?? null,
  };
}

function cleanup(node: JsonNode): Cleanup {
  const object = objectOf(node, 'a cleanup');
  const typeNode = requiredField(object, 'workerType');
  const workerType = stringOf(typeNode, 'workerType');
  if (workerType !== 'decode' && workerType !== 'prefill') {
    throw new DecodeFailure('malformed', 'workerType must be decode or prefill', typeNode.offset);
  }
  return {
    workerId: workerIdOf(requiredField(object, 'workerId'), 'workerId'),
    dpRanks: itemsOf(requiredField(object, 'dpRanks'), 'dpRanks').map((rank) =>
      rank.kind === 'string' && rank.value === 'none' ? 'none' : rankOf(rank, 'dpRanks'),
    ),
    workerType,
  };
}
