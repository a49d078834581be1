import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseRecordedEvent } from '../src/wire/recording/recorded-event.js';
import { documents, readDocument } from './support/documents/documents.js';
import { blockNames, blocksOf, withGeneratedBlocks } from './support/documents/generated-blocks.js';
import { recordedEvents } from './support/documents/reference-tables.js';
import { root } from './support/root.js';
import { runCli } from './support/run-cli.js';

const manifest = JSON.parse(readDocument('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
};
const texts = documents.map((path) => ({ path, text: readDocument(path) }));

describe('generated blocks', () => {
  const withBlocks = texts.filter(({ text }) => blocksOf(text).length > 0);

  it.each(withBlocks)('$path is up to date (TIDEMARK_WRITE=1 writes it)', async ({ path, text }) => {
    const generated = await withGeneratedBlocks(text);
    if (process.env['TIDEMARK_WRITE'] === '1') writeFileSync(join(root, path), generated);
    else expect(text).toBe(generated);
  });

  it('each is in exactly one document', () => {
    const names = texts.flatMap(({ text }) => blocksOf(text));
    expect(names.sort()).toEqual([...blockNames].sort());
  });

  it('a changed line and an unknown name are found', async () => {
    const text = 'a\n<!-- problem codes: begin -->\nold\n<!-- problem codes: end -->\nb\n';
    const generated = await withGeneratedBlocks(text);
    expect(generated).toMatch(
      /^a\n<!-- problem codes: begin -->\n\n`foreign-topic`.*\n\n<!-- problem codes: end -->\nb\n$/,
    );
    expect(await withGeneratedBlocks(generated)).toBe(generated);
    await expect(withGeneratedBlocks('<!-- x: begin -->\n<!-- x: end -->')).rejects.toThrow(
      '"x" is not the name of a generated block.',
    );
  });
});

describe('recorded events', () => {
  it.each(Object.entries(recordedEvents))('the example of %s can be read', (kind, { example }) => {
    expect(parseRecordedEvent(JSON.parse(example) as never)).toMatchObject({ event: { kind } });
  });
});

describe('commands', () => {
  const commands = texts.flatMap(({ path, text }) =>
    [...text.matchAll(/^npx tidemark (.*)$/gm)].map(([, args = '']) => ({ path, args })),
  );

  it.each(commands)('$path: tidemark $args', async ({ args }) => {
    const { code, out } = await runCli(args.replace(/ +#.*$/, '').split(' '));
    expect(out).not.toBe('');
    expect(code).toBe(0);
  });

  it('every kind of command is among them', () => {
    expect(new Set(commands.map(({ args }) => args.split(' ')[0]))).toEqual(
      new Set(['demo', 'replay', 'decode', 'marble', 'stats', 'check']),
    );
  });

  it.each(texts)('the npm scripts that $path names exist', ({ text }) => {
    for (const [, script = ''] of text.matchAll(/\bnpm (?:run )?(start|test|build|lint|format)\b/g))
      expect(manifest.scripts).toHaveProperty(script);
    for (const [, script = ''] of text.matchAll(/\bnpm run ([a-z:]+)/g))
      expect(manifest.scripts).toHaveProperty(script);
  });
});

describe('entry points', () => {
  it('docs/library.md lists all of them', () => {
    const listed = [...readDocument('docs/library.md').matchAll(/^\| `(tidemark[a-z/]*)`/gm)];
    const specifiers = Object.keys(manifest.exports)
      .filter((subpath) => subpath !== './package.json')
      .map((subpath) => subpath.replace(/^\./, 'tidemark'));
    expect(listed.map(([, name]) => name).sort()).toEqual(specifiers.sort());
  });
});
