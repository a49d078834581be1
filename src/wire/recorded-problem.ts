import { problemCodes, type Problem } from '../core/problem.js';
import { field, objectOf, requiredField, stringOf } from './json-fields.js';
import type { JsonNode } from './json-node.js';
import { countField, oneOf, present, workerIdOf } from './recording-fields.js';

const sources = ['loads', 'configs', 'instances', 'thresholds', 'events', 'scrape'] as const;

/** The problem that a line of a recording reports. */
export function recordedProblem(node: JsonNode): Problem {
  const problem = objectOf(node, 'problem');
  return {
    code: oneOf(requiredField(problem, 'code'), 'code', problemCodes),
    source: oneOf(requiredField(problem, 'source'), 'source', sources),
    text: stringOf(requiredField(problem, 'text'), 'text'),
    ...present('workerId', field(problem, 'workerId'), workerIdOf),
    count: Number(countField(problem, 'count') ?? 1),
  };
}
