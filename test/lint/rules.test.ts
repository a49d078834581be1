import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ESLint, type Linter } from 'eslint';
import { describe, expect, it } from 'vitest';
import { root } from '../support/root.js';

type Exceptions = Readonly<Record<string, readonly string[]>>;

// The configuration is JavaScript, which the compiler does not read.
const load = async (path: string): Promise<unknown> => import(pathToFileURL(join(root, path)).href);
const { configFor } = (await load('test/eslint.config.js')) as {
  configFor: (exceptions: Exceptions) => Linter.Config[];
};
const { exceptions } = (await load('test/lint/exceptions.js')) as { exceptions: Exceptions };
const none = Object.fromEntries(Object.keys(exceptions).map((list) => [list, []]));

const RULES = [
  'no-restricted-imports',
  'no-restricted-syntax',
  'max-lines',
  '@typescript-eslint/triple-slash-reference',
];

/** ESLint with the rules that need no types, so that it can judge files that do not exist. */
const eslintWith = (exceptionsInForce: Exceptions): ESLint =>
  new ESLint({
    cwd: root,
    overrideConfigFile: true,
    baseConfig: configFor(exceptionsInForce),
    overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
    ruleFilter: ({ ruleId }) => RULES.includes(ruleId),
  });
const eslint = eslintWith(exceptions);

/** The lines of a text in which a rule is broken. */
async function brokenLines(filePath: string, text: string, by = eslint): Promise<number[]> {
  const [result] = await by.lintText(text, { filePath: join(root, filePath) });
  const messages = result?.messages ?? [];
  const fatal = messages.find(({ fatal }) => fatal === true);
  if (fatal !== undefined) throw new Error(fatal.message);
  return [...new Set(messages.map(({ line }) => line))];
}

/** Expects that a rule is broken in the lines of the second list and in no other. */
async function judges(
  filePath: string,
  allowed: readonly string[],
  forbidden: readonly string[],
): Promise<void> {
  const text = [...allowed, ...forbidden].join('\n');
  expect(await brokenLines(filePath, text)).toEqual(forbidden.map((_, at) => allowed.length + at + 1));
}

const importsOf = (names: readonly string[]): string[] => names.map((name) => `import '${name}';`);

describe('imports between folders', () => {
  it.each([
    {
      folder: 'core',
      allowed: ['rxjs', './y.js', '../operators/x.js'],
      forbidden: [
        '../wire/x.js',
        '../../test/x.js',
        'rxjs/testing',
        '@msgpack/msgpack',
        'node:fs',
        'fs',
        'tidemark',
      ],
    },
    {
      folder: 'core/state',
      allowed: ['../judge.js', '../pipeline/x.js', '../../operators/x.js'],
      forbidden: ['../../wire/x.js', '../../adapters/nats/x.js', '../../../package.json/x'],
    },
    { folder: 'operators', allowed: ['rxjs'], forbidden: ['../core/x.js', 'rxjs/testing', 'node:timers'] },
    {
      folder: 'wire',
      allowed: ['@msgpack/msgpack', '../core/x.js'],
      forbidden: ['rxjs', '../operators/x.js'],
    },
    {
      folder: 'simulator',
      allowed: ['../core/x.js', '../wire/x.js', '../dynamo/x.js'],
      forbidden: ['rxjs', '../testing/x.js', '../adapters/nats/x.js'],
    },
    {
      folder: 'testing',
      allowed: ['rxjs', 'rxjs/testing', '../operators/x.js', '../core/x.js', '../wire/x.js'],
      forbidden: ['../simulator/x.js', 'vitest', 'node:fs'],
    },
    {
      folder: 'adapters/nats',
      allowed: ['rxjs', 'nats', 'node:net', './y.js', '../../wire/x.js', '../clock/x.js'],
      forbidden: ['../etcd/x.js', '../../simulator/x.js', '../../dynamo/x.js', 'etcd3', 'prom-client'],
    },
    {
      folder: 'dynamo',
      allowed: ['rxjs', '../core/x.js', '../operators/x.js', '../wire/x.js'],
      forbidden: ['../adapters/nats/x.js', '../fleet/x.js', '../service/x.js', 'nats', 'node:fs'],
    },
    {
      folder: 'fleet',
      allowed: ['rxjs', '../adapters/nats/x.js', '../dynamo/x.js', '../simulator/x.js'],
      forbidden: ['../service/x.js', '../testing/x.js', 'nats', 'node:fs'],
    },
    {
      folder: 'service',
      allowed: ['rxjs', 'node:http', '../adapters/nats/x.js', '../dynamo/x.js', '../simulator/x.js'],
      forbidden: ['../testing/x.js', '../cli/x.js', 'express'],
    },
    {
      folder: 'cli',
      allowed: ['commander', 'node:fs', '@noble/hashes/blake3', '../testing/x.js', '../simulator/x.js'],
      forbidden: ['vitest', 'no-such-package', '../../test/x.js'],
    },
  ])('of $folder are judged', async ({ folder, allowed, forbidden }) => {
    await judges(`src/${folder}/made-up.ts`, importsOf(allowed), importsOf(forbidden));
  });

  it('are found in every form, and nowhere else', async () => {
    await judges(
      'src/simulator/made-up.ts',
      [
        `// import '../testing/x.js'`,
        `const text = "import '../testing/x.js'";`,
        `export { a } from '../core/x.js';`,
      ],
      [
        `import { x } from '../testing/x.js';`,
        `import type { X } from '../testing/x.js';`,
        `export { x } from '../testing/x.js';`,
        `export type Y = import('../testing/x.js').X;`,
        `const y = await import('../testing/x.js');`,
        'const z = await import(`../testing/x.js`);',
        `const v = require('../testing/x.js');`,
        `import w = require('../testing/x.js');`,
      ],
    );
    for (const directive of ['types="node"', 'lib="dom"', 'path="../testing/x.ts"'])
      expect(await brokenLines('src/core/made-up.ts', `/// <reference ${directive} />\n`)).toEqual([1]);
  });

  it('need a row in the table', async () => {
    expect(await brokenLines('src/attic/x.ts', 'export const a = 1;')).toEqual([1]);
    expect(await brokenLines('src/adapters/zmq/x.ts', 'export const a = 1;')).toEqual([1]);
  });
});

describe('imports of the storage', () => {
  const allowed = [
    `import { Workers } from './storage/workers.js';`,
    `import type { TableSlots } from '../state/storage/table-slots.js';`,
  ];
  const forbidden = [
    `import { DOWN } from './storage/worker-slots.js';`,
    `import type { RankCells } from '../state/storage/rank-cells.js';`,
    `export { WorkerSlots } from './storage/worker-slots.js';`,
    `type Cells = import('./storage/rank-cells.js').RankCells;`,
  ];

  it('are those of its accessor', async () => {
    for (const folder of ['core/state', 'core/pipeline'])
      await judges(`src/${folder}/made-up.ts`, allowed, forbidden);
  });

  it('are free inside it', async () => {
    const inside = [
      `import { DOWN } from './worker-slots.js';`,
      `import { RankCells } from './rank-cells.js';`,
    ];
    await judges('src/core/state/storage/made-up.ts', inside, []);
  });
});

describe('exports', () => {
  it('are lists of names', async () => {
    const [allowed, forbidden] = [
      [`export { a } from './a.js';`, `export const b = 1; // export default b`, `switch (b) { default: }`],
      [
        `export * from './a.js';`,
        `export * as c from './a.js';`,
        `export type * from './a.js';`,
        `export default class A {}`,
        `export { b as default };`,
        `export { default } from './a.js';`,
      ],
    ];
    await judges('src/cli/made-up.ts', allowed, forbidden);
    await judges('src/core/made-up.ts', allowed, forbidden);
  });
});

describe('sizes', () => {
  it('are at most 400 lines per file', async () => {
    expect(await brokenLines('src/core/made-up.ts', '//\n'.repeat(399))).toEqual([]);
    expect(await brokenLines('src/core/made-up.ts', '//\n'.repeat(401))).toEqual([401]);
  });
});

describe('errors', () => {
  it('have a code', async () => {
    const allowed = [
      `function a(error) { throw error; }`,
      `function b() { throw new TidemarkError('b', 'B.'); }`,
      `class C extends TidemarkError {}`,
      `const d = new Error('the input of a conversion');`,
      `class TidemarkError extends Error {}`,
    ];
    const forbidden = [
      `function e() { throw new Error('E.'); }`,
      `function f() { throw new TypeError('F.'); }`,
      `function g() { throw RangeError('G.'); }`,
      `const h$ = throwError(() => new Error('H.'));`,
      `class I extends RangeError {}`,
    ];
    for (const folder of ['core', 'cli', 'testing', 'adapters/nats'])
      await judges(`src/${folder}/made-up.ts`, allowed, forbidden);
    await judges('test/core/made-up.test.ts', [...allowed, ...forbidden], []);
  });
});

describe('names of Dynamo', () => {
  const allowed = [
    `const a = 'instances';`,
    '// DYN_NAMESPACE, v1/instances/ and kv_metrics',
    `const b = 'subscribing to a subject';`,
  ];
  const forbidden = [
    `const c = process.env['DYN_NAMESPACE'];`,
    'const d = process.env.DYN_NAMESPACE;',
    `const e = 'v1/instances/';`,
    'const f = `v1/mdc/${a}`;',
    String.raw`const g = /^(?:v1\/)?instances\//;`,
    `const h = 'kv_metrics';`,
    'const i = `namespace.${a}.component.${b}`;',
    "const j = 'dynamo_backend';",
  ];

  it.each(['src/adapters/nats/made-up.ts', 'src/adapters/etcd/made-up.ts'])(
    'are found in the transport %s',
    async (path) => {
      await judges(path, allowed, forbidden);
    },
  );

  it('are found nowhere else', async () => {
    for (const folder of ['wire', 'dynamo', 'adapters/prometheus'])
      await judges(`src/${folder}/made-up.ts`, [...allowed, ...forbidden], []);
  });
});

describe('imports of tests', () => {
  it.each(['test/core/made-up.test.ts', 'test/made-up.test.ts'])(
    'of the lane unit are judged: %s',
    async (path) => {
      await judges(
        path,
        importsOf([
          'vitest',
          'node:fs',
          '../src/core/x.js',
          './support/fleet.js',
          '../support/eventually.js',
        ]),
        [
          ...importsOf([
            'node:child_process',
            'child_process',
            'execa',
            'node:net',
            'tidemark/wire',
            '../dist/core/index.js',
            '../support/run-cli.js',
            './support/processes.js',
            '../support/etcd-server.js',
            '../support/served-fleet.js',
          ]),
          `const a = await import('execa');`,
          `import { setTimeout } from 'node:timers/promises';`,
        ],
      );
    },
  );

  it('of the other lanes start processes with the one helper', async () => {
    for (const path of ['test/a.servers.test.ts', 'test/a.nightly.test.ts', 'test/support/a.ts'])
      await judges(
        path,
        importsOf(['./support/processes.js', 'node:net']),
        importsOf(['node:child_process', 'execa']),
      );
    expect(await brokenLines('test/support/processes.ts', `import { execa } from 'execa';`)).toEqual([]);
  });
});

describe('exceptions', () => {
  const strict = eslintWith(none);
  const listed = Object.values(exceptions).flat();

  it.each(listed)('%s still needs to be one', async (path) => {
    const [result] = await strict.lintFiles([path]);
    expect(result?.messages.map(({ ruleId }) => ruleId)).not.toEqual([]);
  });

  it('are of existing files', () => {
    expect(listed.length).toBeGreaterThan(0);
  });
});
