import { availableParallelism, cpus } from 'node:os';
import { version } from 'node:process';
import { gateGoalsOf } from './gate.js';
import { goalsOf, natsGoalsOf, scrapeGoalsOf } from './goals.js';
import { lowest, median } from './measure.js';

const goalsOfSuite = new Map([
  ['gate', gateGoalsOf],
  ['nats', natsGoalsOf],
  ['scrape', scrapeGoalsOf],
]);

/**
 * What a run found, as `--json` prints it.
 *
 * @param {readonly import('./cases.js').Case[]} cases
 * @param {ReadonlyMap<string, readonly number[]>} values
 * @param {{ sizes: readonly number[], quick: boolean, processes: number, suite?: string | undefined }} how
 */
export function reportOf(cases, values, { sizes, quick, processes, suite }) {
  const results = cases.map(({ name, kind, workers, dp, unit, isolates, view }) => {
    const found = values.get(name) ?? [];
    return {
      case: name,
      kind,
      workers,
      ranks: dp,
      unit,
      median: median(found),
      lowest: lowest(found),
      highest: Math.max(...found),
      values: found,
      isolates,
      view,
    };
  });
  const machine = { node: version, cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism() };
  return {
    machine,
    quick,
    figure: suite === 'gate' ? /** @type {const} */ ('lowest') : /** @type {const} */ ('median'),
    processes,
    sizes,
    results,
    goals: (goalsOfSuite.get(suite) ?? goalsOf)(values, sizes),
  };
}

/** @typedef {ReturnType<typeof reportOf>} Report */

/**
 * The same as a table.
 *
 * @param {Report} report
 */
export function tableOf({ machine, quick, figure, processes, sizes, results, goals }) {
  const kinds = [...new Set(results.map(({ kind }) => kind))];
  const columns = [1, 8].flatMap((dp) => sizes.map((workers) => ({ workers, dp })));
  const lines = kinds.map((kind) => {
    const cells = columns.map(({ workers, dp }) => {
      const one = results.find((result) => result.case === `${kind}/${workers}x${dp}`);
      return (one === undefined ? '' : number(one[figure])).padStart(11);
    });
    const { unit, isolates, view } = results.find((result) => result.kind === kind) ?? {};
    return `${`${kind} [${unit}]`.padEnd(22)}${cells.join('')}   ${isolates}; view: ${view}`;
  });
  const head = columns.map(({ workers, dp }) => `${workers}x${dp}`.padStart(11)).join('');
  return [
    `node ${machine.node}, ${machine.cpu}, ${machine.cores} cores; the ${figure} of ${processes} processes for each case`,
    ...(quick ? ['QUICK: few events on small fleets; no figure below says anything about speed'] : []),
    '',
    `${'workers x ranks'.padEnd(22)}${head}`,
    ...lines,
    '',
    ...goals.map(goalLine),
    '',
    summary(goals),
    '',
  ].join('\n');
}

/** @param {import('./goals.js').Goal} goal */
function goalLine({ goal, text, value, limit, unit, gated, holds }) {
  const found = value === null ? 'not measured' : `${number(value)} ${unit}`;
  const wanted = limit === null ? 'not measured' : `${number(limit)} ${unit}`;
  const verdict = holds === null ? '-' : holds ? 'holds' : gated ? 'MISSED' : 'missed, not gated';
  return `${goal === null ? 'gate' : `goal ${goal}`}  ${verdict.padEnd(18)}${found.padStart(13)} <= ${wanted.padEnd(13)}${text}`;
}

/** @param {readonly import('./goals.js').Goal[]} goals */
function summary(goals) {
  const count = (/** @type {(goal: import('./goals.js').Goal) => boolean} */ which) =>
    goals.filter(which).length;
  const missed = count(({ gated, holds }) => gated && holds === false);
  const open = count(({ gated, holds }) => gated && holds === null);
  const figures = count(({ gated, holds }) => !gated && holds === false);
  const held = count(({ gated, holds }) => gated && holds === true);
  return `gated: ${held} hold, ${missed} missed, ${open} not measured; absolute figures missed, not gated: ${figures}`;
}

/** @param {number} value */
function number(value) {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}
