import { commandReference } from './command-reference.js';
import { readDocument } from './documents.js';
import { policyTable } from './policy-table.js';
import {
  legacyMetricsTable,
  problemCodesList,
  recordedEventsTable,
  settingsTable,
  tidemarkMetricsTable,
  workerGaugesTable,
} from './reference-tables.js';
import { routesTable } from './route-reference.js';

/** The parts of documents that are generated from the code, by the name in their markers. */
const generators: Readonly<Record<string, () => string | Promise<string>>> = {
  'policy table': policyTable,
  settings: settingsTable,
  'worker gauges': workerGaugesTable,
  'tidemark metrics': tidemarkMetricsTable,
  'legacy metrics': legacyMetricsTable,
  'problem codes': problemCodesList,
  'recorded events': recordedEventsTable,
  commands: commandReference,
  routes: routesTable,
  'marble example': marbleExample,
};

function marbleExample(): string {
  return `\`\`\`text\n${readDocument('marbles/silent-declared-rank-is-free.txt').trim()}\n\`\`\``;
}

/** The names of all blocks that can be generated. */
export const blockNames: readonly string[] = Object.keys(generators);

const BLOCK = /<!-- (.+?): begin -->\n[^]*?<!-- \1: end -->/g;

/** The names of the generated blocks of a document, in order. */
export function blocksOf(text: string): string[] {
  return [...text.matchAll(BLOCK)].map(([, name = '']) => name);
}

/**
 * A document with newly generated blocks. A block begins with `<!-- NAME: begin -->` and ends with `<!-- NAME: end -->`.
 *
 * @throws Error if no generator has the name of a block
 */
export async function withGeneratedBlocks(text: string): Promise<string> {
  const blocks = new Map<string, string>();
  for (const name of blocksOf(text)) {
    const generate = generators[name];
    if (generate === undefined) throw new Error(`"${name}" is not the name of a generated block.`);
    blocks.set(name, await generate());
  }
  return text.replace(
    BLOCK,
    (_, name: string) => `<!-- ${name}: begin -->\n\n${blocks.get(name) ?? ''}\n\n<!-- ${name}: end -->`,
  );
}
