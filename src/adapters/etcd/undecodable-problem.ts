import type { Problem } from '../../core/problem.js';
import type { DiscoveryProblem } from '../../wire/discovery-difference.js';

const MAX_SHOWN = 200;

/**
 * Problems with keys as problems of the monitor's kind, one for each key: a key that one batch wrote several times
 * counts so often, and its last error is told. The text has the key and the reason, both cut, and nothing of the
 * value.
 */
export function undecodableProblems(problems: readonly DiscoveryProblem[]): readonly Problem[] {
  const byKey = new Map<string, Problem>();
  for (const problem of problems) {
    const count = (byKey.get(problem.key)?.count ?? 0) + 1;
    byKey.set(problem.key, undecodableProblem(problem, count));
  }
  return [...byKey.values()];
}

function undecodableProblem({ key, error, workerId }: DiscoveryProblem, count: number): Problem {
  const shown = JSON.stringify(cut(key));
  const text =
    error.code === 'bad-key'
      ? `the key ${shown} has no shape that Dynamo writes, and says nothing: remove it, or correct who wrote it`
      : `the value of the key ${shown} cannot be read (${error.code}): ${cut(error.message)}; what it said last ` +
        'stays until it is written correctly or removed';
  return {
    code: 'undecodable',
    source: /^(?:v1\/)?instances\//.test(key) ? 'instances' : 'configs',
    text,
    ...(workerId !== null && { workerId }),
    count,
  };
}

function cut(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
