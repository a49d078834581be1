import type { Metric } from './metric.js';
import { legacyMetrics, tidemarkMetrics, workerGauges } from './metric-names.js';
import { MetricsOptionsError } from './metrics-options-error.js';

const MOST_LABELS = 8;
const LONGEST_VALUE = 256;

/** Labels that our metrics give a meaning of their own. */
const metrics: readonly Metric[] = [workerGauges, tidemarkMetrics, legacyMetrics].flatMap(Object.values);
const taken = new Set(metrics.flatMap(({ labelNames }) => labelNames));

/**
 * The labels of a pool, checked: at most 8, of names that Prometheus takes and no metric of ours has, with values of at
 * most 256 characters.
 *
 * @throws MetricsOptionsError that tells all problems
 */
export function poolLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(labels);
  const problems = entries.flatMap(([name, value]) => problemsOf(name, value));
  if (entries.length > MOST_LABELS)
    problems.push(`a pool has at most ${MOST_LABELS} labels, not ${entries.length}`);
  if (problems.length > 0) throw new MetricsOptionsError(problems);
  return { ...labels };
}

function problemsOf(name: string, value: unknown): string[] {
  const problems: string[] = [];
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) || name.startsWith('__'))
    problems.push(
      `${JSON.stringify(name)} is no label name: letters, digits and _, no digit first, not __ first`,
    );
  if (taken.has(name))
    problems.push(`the label ${name} has a meaning of its own; give the pool's another name`);
  if (typeof value !== 'string') problems.push(`the label ${name} must be a text`);
  else if (value.length > LONGEST_VALUE)
    problems.push(`the label ${name} is ${value.length} characters long, and ${LONGEST_VALUE} are the most`);
  return problems;
}
