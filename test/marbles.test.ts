import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { drawMarble } from '../src/testing/marble/draw/draw-marble.js';
import { parseMarble } from '../src/testing/marble/grammar/parse-marble.js';
import { fleetOperators } from '../src/testing/marble/operators/fleet-operators.js';
import { failureText } from '../src/testing/marble/run/assert-marble.js';
import { runMarble } from '../src/testing/marble/run/run-marble.js';
import { updateMarble } from '../src/testing/marble/run/update-marble.js';
import { root } from './support/root.js';

const folder = join(root, 'marbles');
const names = readdirSync(folder)
  .filter((name) => !name.endsWith('.svg'))
  .sort();
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const marbles = names.map((name) => ({ name, marble: parseMarble(read(name), `marbles/${name}`) }));

// Vitest shortens a name that it formats itself.
const byName = marbles.map((one) => [one.name, one] as const);

describe('pictures', () => {
  const pictures = readdirSync(folder).filter((name) => name.endsWith('.svg'));
  it.each(pictures)('%s is drawn from its text (tidemark marble draw … -o …)', (picture) => {
    const name = picture.replace('.svg', '.txt');
    expect(read(picture)).toBe(drawMarble(parseMarble(read(name), `marbles/${name}`)));
  });

  it('the README shows one', () => {
    expect(pictures.length).toBeGreaterThan(0);
    for (const picture of pictures)
      expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`marbles/${picture}`);
  });
});

describe('marbles', () => {
  it('there are some, each named after its situation', () => {
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+){2,}\.txt$/.test(name))).toEqual([]);
  });

  it.each(byName)('%s holds', (_, { marble }) => {
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

  it.each(byName)('%s notices every change of what it expects', (_, { name, marble }) => {
    for (const { line, text, notifications } of marble.outputs) {
      const earlier = text.startsWith('-') ? text.slice(1) : `-${text}`;
      if (notifications.length === 0) continue;
      const changed = marble.lines.with(line - 1, earlier).join('\n');
      expect(runMarble(parseMarble(changed, name), fleetOperators()).passed).toBe(false);
    }
    for (const { bindings } of marble.outputs)
      for (const { line, letter } of bindings.values()) {
        const changed = marble.lines.with(line - 1, `${letter} := "another"`).join('\n');
        expect(runMarble(parseMarble(changed, name), fleetOperators()).passed).toBe(false);
      }
  });

  it.each(byName)('%s needs no rewriting, and can be drawn', (_, { name, marble }) => {
    expect(updateMarble(marble, fleetOperators())).toBe(read(name));
    expect(drawMarble(marble)).toMatch(/^<svg [^]*<\/svg>\n$/);
  });
});
