import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { documents } from './support/documents/documents.js';
import { run } from './support/processes.js';
import { root } from './support/root.js';

/** A code block of a document or of a docstring, and the output that its comments declare. */
interface Example {
  readonly name: string;
  readonly code: string;
  readonly logs: readonly string[];
  /** `ts no-run` marks a block that needs servers: it is compiled, but not run. */
  readonly runs: boolean;
}

// Below dist, so that `tidemark` resolves to this package, as it does in a project that installs it.
const folder = join(root, 'dist/.examples');

function examplesIn(file: string): Example[] {
  const text = readFileSync(join(root, file), 'utf8').replace(/^ \* ?/gm, '');
  return [...text.matchAll(/```ts( no-run)?\n([^]*?)```/g)].map(([, noRun, code = ''], index) => ({
    name: `${basename(file, '.ts')}-${index + 1}`,
    runs: noRun === undefined,
    code,
    logs: [...code.matchAll(/^\/\/ Logs: (.*)$/gm)].map(([, line = '']) => line),
  }));
}

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => join('src', file));
const examples = [...documents, ...sources].flatMap(examplesIn);

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const { name, code } of examples) writeFileSync(join(folder, `${name}.ts`), `${code}\nexport {};\n`);
const options: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
};
const program = ts.createProgram(
  examples.map(({ name }) => join(folder, `${name}.ts`)),
  options,
);
const errors = ts.getPreEmitDiagnostics(program);
program.emit();

describe('examples', () => {
  it('there are some, in the README, in docs and in the docstrings', () => {
    expect(examples.filter(({ name }) => name.startsWith('README')).length).toBeGreaterThan(0);
    expect(examples.filter(({ name }) => name.startsWith('library.md')).length).toBeGreaterThan(1);
    expect(examples.length).toBeGreaterThan(10);
  });

  it('all compile', () => {
    const text = errors.map(
      (error) =>
        `${basename(error.file?.fileName ?? '')}: ${ts.flattenDiagnosticMessageText(error.messageText, ' ')}`,
    );
    expect(text).toEqual([]);
  });

  it.each(examples.filter(({ runs }) => runs))(
    '$name - logs what its comments declare',
    async ({ name, logs }) => {
      const out = await run(process.execPath, [join(folder, `${name}.js`)]);
      expect(logs.length).toBeGreaterThan(0);
      expect(out.trimEnd().split('\n')).toEqual(logs);
    },
  );
});
