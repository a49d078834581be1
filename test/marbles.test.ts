import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { drawMarble } from '../src/testing/marble/draw-marble.js';
import { failureText } from '../src/testing/marble/failure-text.js';
import { fleetOperators } from '../src/testing/marble/fleet-operators.js';
import { parseMarble } from '../src/testing/marble/parse-marble.js';
import { runMarble } from '../src/testing/marble/run-marble.js';
import { updateMarble } from '../src/testing/marble/update-marble.js';
import { root } from './support/run-cli.js';

const folder = join(root, 'marbles');
const names = readdirSync(folder).sort();
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const marbles = names.map((name) => ({ name, marble: parseMarble(read(name), `marbles/${name}`) }));

describe('marbles', () => {
  it('there are some, each named after its situation', () => {
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+){2,}\.txt$/.test(name))).toEqual([]);
  });

  it.each(marbles)('$name holds', ({ marble }) => {
    expect(failureText(runMarble(marble, fleetOperators()))).toBe('');
  });

  it('each tells a story of two lines or more, and shows all inputs and outputs under a title', () => {
    const silent = marbles.filter(
      ({ marble }) =>
        marble.story.length < 2 ||
        [...marble.inputs, ...marble.outputs].some(({ title }) => ['input', 'output'].includes(title)),
    );
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  it.each(marbles)('$name notices every change of what it expects', ({ name, marble }) => {
    for (const { line, text, marks } of marble.outputs) {
      const earlier = text.startsWith('-') ? text.slice(1) : `-${text}`;
      if (marks.length === 0) continue;
      const changed = marble.lines.with(line - 1, earlier).join('\n');
      expect(runMarble(parseMarble(changed, name), fleetOperators()).passed).toBe(false);
    }
    for (const { bindings } of marble.outputs)
      for (const { line, letter } of bindings.values()) {
        const changed = marble.lines.with(line - 1, `${letter} := "another"`).join('\n');
        expect(runMarble(parseMarble(changed, name), fleetOperators()).passed).toBe(false);
      }
  });

  it.each(marbles)('$name needs no rewriting, and can be drawn', ({ name, marble }) => {
    expect(updateMarble(marble, fleetOperators())).toBe(read(name));
    expect(drawMarble(marble)).toMatch(/^<svg [^]*<\/svg>\n$/);
  });
});
