import { parseArgs } from 'node:util';

/** What can be measured by its word. */
const suites = ['nats', 'scrape'];

export const help = `Usage: npm run bench -- [nats | scrape] [options]

Measures decoding, the state, the whole pipeline, a flip and memory, each beside its calibration, one case in one
process, and says whether the goals hold. What is gated are ratios of the same run; absolute figures are for a quiet
2-core machine. With \`nats\`: loads through a real NATS server, which it starts, beside a subscriber that does nothing,
and the time from publish to busy$. With \`scrape\`: pages of metrics of 10 000 workers of 8 ranks while 50 000 loads a
second flow: how long one takes, how long it holds the event loop up, and how many loads are lost.

  --only <regex>     the cases whose name matches, as in decode/1000x8; goals need all of theirs
  --server <url>     for nats: the server there in place of one of its own, such as nats://127.0.0.1:4222
  --processes <n>    processes for each case, of which the median counts (default 5)
  --json             JSON on standard output in place of the table
  --gate             exit with 1 when a gated goal is missed or was not measured
  --quick            few events, small fleets, one process: shows that the cases work, says nothing about speed
  --list             the cases, what each isolates, and who makes the view of a message
  --help             this text
`;

/**
 * @param {readonly string[]} args
 * @returns what was asked for, or a text that says what is wrong with it
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
    return `what to measure is ${suites.join(' or ')}, or nothing for the rest; ${positionals.join(' ')} is not`;
  const processes = Number(values.processes ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(processes) || processes < 1) return '--processes takes a whole number, 1 and above';
  try {
    return { ...values, suite, only: new RegExp(values.only), processes };
  } catch {
    return `--only takes a regular expression, and ${values.only} is none`;
  }
}
