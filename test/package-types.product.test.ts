import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  HOOK_MS,
  ownNames,
  packageEntries,
  packedProject,
  type PackedProject,
} from './support/packed-project.js';
import { root } from './support/root.js';

const compilers = ['typescript-5.4', 'typescript-newest'];
const resolutions = {
  node16: { module: 'node16', moduleResolution: 'node16' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
};
const environments = {
  'without DOM and Node types': { lib: ['ES2022'], types: [] },
  'with DOM types': { lib: ['ES2022', 'DOM'], types: [] },
  'with DOM and Node types': { lib: ['ES2022', 'DOM'], types: ['node'] },
};

// The types of RxJS contain `typeof setTimeout`, which only the DOM or Node declares.
const ofRxjs =
  /\bnode_modules\/rxjs\/\S+timerHandle\.d\.ts\(\d+,\d+\): error TS2304: Cannot find name 'setTimeout'/;

const uses = `
import { NEVER } from 'rxjs';
import { loadMonitor, policies, type AbortSignalLike } from 'tidemark';
import { encodeServicePing } from 'tidemark/wire';

export function watch(signal: AbortSignalLike): boolean {
  using monitor = loadMonitor({ loads: NEVER }, { policy: policies.default, signal });
  return monitor.connect().closed;
}
export const bytes: Uint8Array = encodeServicePing({ name: 'a', id: 'b', version: '1.0.0' });
`;
const usesSignal = `
import { watch } from './uses.js';
export const isClosed = watch(new AbortController().signal);
`;

const usesCommonJs = `
import { setDifference } from 'tidemark/operators';
export const operator = setDifference;
`;

let project: PackedProject;
beforeAll(async () => {
  project = await packedProject(ownNames(['@types/node']));
  const entries = await packageEntries();
  await project.write({
    'src/all.ts': entries.map((name, index) => `export * as entry${index} from '${name}';\n`).join(''),
    'src/uses.ts': uses,
    'src/signal.ts': usesSignal,
  });
}, HOOK_MS);
afterAll(() => project[Symbol.asyncDispose]());

describe.each(compilers)('%s, checking declarations', (compiler) => {
  describe.each(Object.entries(resolutions))('%s', (resolution, module) => {
    it.each(Object.entries(environments))('compiles every entry %s', async (environment, platform) => {
      const isBare = platform.types.length === 0 && !platform.lib.includes('DOM');
      const name = `tsconfig.${[compiler, resolution, environment].join('-').replaceAll(' ', '-')}.json`;
      const files = ['src/all.ts', 'src/uses.ts', ...(isBare ? [] : ['src/signal.ts'])];
      await project.write({
        [name]: JSON.stringify({
          compilerOptions: {
            ...module,
            ...platform,
            target: 'ES2022',
            noEmit: true,
            strict: true,
            exactOptionalPropertyTypes: true,
            noUncheckedIndexedAccess: true,
            noPropertyAccessFromIndexSignature: true,
            verbatimModuleSyntax: true,
            skipLibCheck: false,
          },
          files,
        }),
      });
      const errors = await compile(compiler, name);
      expect(errors.filter((line) => !(isBare && ofRxjs.test(line)))).toEqual([]);
    });
  });

  it('reports what is wrong', async () => {
    await project.write({
      'tsconfig.wrong.json': JSON.stringify({
        compilerOptions: { ...resolutions.node16, lib: ['ES2022', 'DOM'], types: [], noEmit: true },
        files: ['src/wrong.ts'],
      }),
      'src/wrong.ts': `import { loadMonitors } from 'tidemark';\nloadMonitors();\n`,
    });
    expect(await compile(compiler, 'tsconfig.wrong.json')).toEqual([expect.stringMatching(/loadMonitors/)]);
  });
});

describe('a CommonJS project', () => {
  beforeAll(() => project.write({ 'cjs/package.json': '{}', 'cjs/x.ts': usesCommonJs }));

  it.each([
    ['typescript-newest', 'nodenext', []],
    ['typescript-newest', 'node16', [expect.stringMatching(/error TS1479/)]],
    ['typescript-5.4', 'node10', [expect.stringMatching(/error TS2307/)]],
    ['typescript-5.4', 'bundler', []],
  ])('%s, module resolution %s', async (compiler, moduleResolution, errors) => {
    const module = { node10: 'commonjs', bundler: 'esnext' }[moduleResolution] ?? moduleResolution;
    const config = `cjs/tsconfig.${moduleResolution}.json`;
    await project.write({
      [config]: JSON.stringify({
        compilerOptions: { module, moduleResolution, lib: ['ES2022', 'DOM'], types: [], noEmit: true },
        files: ['x.ts'],
      }),
    });
    expect(await compile(compiler, config)).toEqual(errors);
  });
});

/** The lines of errors. */
async function compile(compiler: string, config: string): Promise<string[]> {
  const tsc = join(root, 'node_modules', compiler, 'bin/tsc');
  const output = await project.run(process.execPath, tsc, '-p', config, '--pretty', 'false').then(
    (text) => text,
    (error: unknown) => (error as { readonly stdout: string }).stdout,
  );
  return output.split('\n').filter((line) => line.includes('error TS'));
}
