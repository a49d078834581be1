import { parseArgs } from 'node:util';

/** The suites by name. */
const suites = ['nats', 'scrape', 'gate'];

export const help = `Usage: npm run bench -- [nats | scrape | gate] [options]

Measures decoding, the state, the whole pipeline, a flip and memory, each beside its calibration, one case in one
process, and says whether the goals hold. What is gated are ratios of the same run; absolute figures are for a quiet
2-core machine. With \`nats\`: loads through a real NATS server, which it starts, beside a subscriber that does nothing,
the time from publish to busy$, and what a scrape of all workers’ statistics costs. With \`scrape\`: pages of metrics of
10 000 workers of 8 ranks while 50 000 loads a second flow: how long one takes, how long it holds the event loop up, and
how many loads are lost. With \`gate\`: only ratios of costs in one run, with limits that a loaded machine keeps and a
doubled cost does not; it exits with 1 when one is missed.

  --only <regex>     the cases whose name matches, as in decode/1000x8; goals need all of theirs
  --server <url>     for nats: the server there in place of one of its own, such as nats://127.0.0.1:4222
  --compare <rev>    measure the working tree and this commit in turn, each with its own bench and build, and print
                     the ratio of the best values, their spread and the medians
  --renamed <list>   with --compare: kinds of cases that have another name in the commit, as in old=new,older=newer
  --processes <n>    processes for each case, of which the median counts (default 5; with --compare 10 for each side;
                     for gate 3, of which the best counts, and up to 15 while a limit is missed)
  --json             JSON on standard output in place of the table
  --gate             exit with 1 when a gated goal is missed or was not measured
  --quick            few events, small fleets, one process: shows that the cases work, says nothing about speed
  --list             the cases, what each isolates, and who makes the view of a message
  --help             this text

Example: is the working tree slower than its last commit on the way from bytes to the busy set?

  npm run bench -- --compare HEAD --only '^pipeline.*/1000x8$'
`;

/** @param {{ compare?: string | undefined, quick: boolean }} values @param {string | undefined} suite */
function defaultProcesses({ compare, quick }, suite) {
  if (quick) return 1;
  if (compare !== undefined) return 10;
  return suite === 'gate' ? 3 : 5;
}

/**
 * @param {readonly string[]} args
 * @returns the options, or the text of an error
 */
export function optionsOf(args) {
  let values, positionals;
  try {
    ({ values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        only: { type: 'string', default: '' },
        server: { type: 'string' },
        processes: { type: 'string' },
        compare: { type: 'string' },
        renamed: { type: 'string' },
        run: { type: 'string' },
        json: { type: 'boolean', default: false },
        gate: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return String(error instanceof Error ? error.message : error);
  }
  const [suite, ...more] = positionals;
  if (more.length > 0 || (suite !== undefined && !suites.includes(suite)))
    return `what to measure is ${suites.slice(0, -1).join(', ')} or ${suites.at(-1)}, or nothing for the rest; ${positionals.join(' ')} is not`;
  const processes = Number(values.processes ?? defaultProcesses(values, suite));
  if (!Number.isInteger(processes) || processes < 1) return '--processes takes a whole number, 1 and above';
  if (values.compare === '') return '--compare takes a commit, as in --compare HEAD~1';
  if (values.compare !== undefined && (suite === 'gate' || values.gate))
    return '--compare judges nothing: use it without gate and --gate';
  if (values.renamed !== undefined && values.compare === undefined)
    return '--renamed only applies with --compare';
  const renamed = renamedOf(values.renamed);
  if (renamed === undefined)
    return `--renamed takes pairs like old=new, separated by commas, and ${values.renamed} is none`;
  try {
    return { ...values, suite, only: new RegExp(values.only), processes, renamed };
  } catch {
    return `--only takes a regular expression, and ${values.only} is none`;
  }
}

/**
 * For a kind in the working tree, its name in the other commit; `undefined` for a text that is not a list of pairs.
 *
 * @param {string} [text]
 * @returns {Map<string, string> | undefined}
 */
function renamedOf(text) {
  const pairs = text === undefined ? [] : text.split(',').map((pair) => pair.split('='));
  if (pairs.some((pair) => pair.length !== 2 || pair.includes(''))) return undefined;
  return new Map(pairs.map(([there = '', here = '']) => [here, there]));
}
