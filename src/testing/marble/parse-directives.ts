import type { Marble } from './marble.js';
import type { RowFailure } from './parse-row.js';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };
const DIRECTIVE = /^%\s*(ticks?|rules?)\s*:\s*(.*)$/i;

/** What the `%` lines of a file say: its story, the rules it shows, and how long a column is. */
export type MarbleDirectives = Pick<Marble, 'story' | 'rules' | 'tickMs'>;

/** A `%` line of a file. `fail` tells the line. */
export interface CommentLine {
  readonly text: string;
  readonly fail: RowFailure;
}

/** Tells the directives `% tick: 10ms` and `% rule: id` from the lines of the story. */
export function parseDirectives(comments: readonly CommentLine[]): MarbleDirectives {
  const story: string[] = [];
  const rules: string[] = [];
  let tickMs: number | undefined;
  for (const { text, fail } of comments) {
    const [, name = '', content = ''] = DIRECTIVE.exec(text) ?? [];
    if (name === '') {
      story.push(text.slice(1).trim());
    } else if (name === 'tick') {
      if (tickMs !== undefined) fail(0, 'the tick is set twice');
      tickMs = tickOf(content, fail);
    } else if (name === 'rule') {
      if (content === '') fail(0, 'a rule has no id');
      if (rules.includes(content)) fail(0, `the rule ${content} stands twice`);
      rules.push(content);
    } else {
      fail(0, `there is no directive ${JSON.stringify(name)}; there are tick and rule`);
    }
  }
  return { story, rules, tickMs: tickMs ?? 1 };
}

function tickOf(text: string, fail: RowFailure): number {
  const [, digits = '', unit = ''] = /^([0-9]+)([a-zµ]+)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  const tickMs = Number(digits) * (factor ?? 0);
  if (factor === undefined || tickMs === 0 || !Number.isSafeInteger(tickMs))
    return fail(0, `${JSON.stringify(text)} is no tick; write a whole number of ms, s or m, such as 10ms`);
  return tickMs;
}
