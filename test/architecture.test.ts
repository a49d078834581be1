import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A text file of the repository, with its path from the root. */
interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** Folders that compile without Node and without a browser. */
const pureFolders = ['core', 'operators', 'wire', 'dynamo'];

/** Where a subscription may start, besides `new Observable(…)` that returns its teardown. */
const subscribers: readonly { readonly folder: string; readonly inside?: string }[] = [
  { folder: 'core', inside: 'connect' },
  { folder: 'dynamo', inside: 'connect' },
  { folder: 'fleet', inside: 'run' },
  // A source of messages that passes the subjects on.
  { folder: 'fleet', inside: 'subscribe' },
  { folder: 'service', inside: 'run' },
  { folder: 'cli' },
  // A conformance case subscribes to the source that it judges, and a player to the fold that it feeds.
  { folder: 'testing', inside: 'listen' },
  { folder: 'testing', inside: 'connect' },
];

const files = read('src', (name) => name.endsWith('.ts'));
const folders = [...new Set(files.map((file) => folderOf(file.path)))].sort();

describe('imports of unit tests', () => {
  const tests = read('test', (name) => name.endsWith('.ts'));
  const unitTests = tests.filter(({ path }) => /(?<!\.(?:servers|product|nightly))\.test\.ts$/.test(path));

  it('reach no helper that starts a process or listens on a port', () => {
    expect(unitTests.length).toBeGreaterThan(50);
    expect(startersReached(unitTests, tests)).toEqual([]);
  });

  it('are followed through helpers', () => {
    const made = [
      { path: 'test/core/x.test.ts', text: `import { a } from './a.js';` },
      { path: 'test/core/a.ts', text: `export { b } from '../support/b.js';` },
      { path: 'test/support/b.ts', text: `import { run } from './processes.js';` },
      { path: 'test/support/processes.ts', text: `import { execa } from 'execa';` },
      { path: 'test/core/y.test.ts', text: `import type { Server } from './server.js';` },
      { path: 'test/core/server.ts', text: `import { createServer } from 'node:net';` },
    ];
    expect(startersReached(made.slice(0, 1), made)).toEqual(['test/core/x.test.ts: execa']);
    // A type starts nothing.
    expect(startersReached(made.slice(4, 5), made)).toEqual([]);
  });
});

describe('configurations of the folders', () => {
  it.each(['tsconfig.json', 'test/tsconfig.json'])('are all referenced in %s', (path) => {
    expect(unreferenced(folders, { path, text: readText(path) })).toEqual([]);
  });

  it.each(folders)('%s has its own', (folder) => {
    expect(existsSync(join(root, 'src', folder, 'tsconfig.json'))).toBe(true);
  });

  it.each(folders.filter((folder) => pureFolders.includes(folder)))(
    '%s knows neither Node nor the DOM',
    (folder) => {
      expect(impurities(readConfig(join('src', folder, 'tsconfig.json')))).toEqual([]);
    },
  );

  it('are found missing', () => {
    const text = '{ "files": [], "references": [{ "path": "./src/core/" }] }';
    expect(unreferenced(['core', 'wire', 'adapters/nats'], { path: 'tsconfig.json', text })).toEqual([
      'src/wire',
      'src/adapters/nats',
    ]);
    expect(unreferenced(['core', 'wire'], { path: 'test/tsconfig.json', text })).toEqual([
      'src/core',
      'src/wire',
    ]);
  });

  it('are impure with a type package or the DOM', () => {
    expect(impurities({ types: [], lib: ['lib.es2023.d.ts'] })).toEqual([]);
    expect(impurities({ types: ['node'], lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'] })).toEqual([
      'types: node',
      'lib: lib.dom.d.ts',
    ]);
    expect(impurities({})).toEqual(['types: not set', 'lib: not set']);
  });
});

describe('subscriptions', () => {
  it('start only in the allowed files', () => {
    expect(straySubscriptions(files)).toEqual([]);
  });

  it.each([
    ['core/x.ts', `export const on = () => source$.subscribe(sink);`, 1],
    ['core/x.ts', `source$\n  ?.subscribe(sink);`, 1],
    ['core/x.ts', `source$['subscribe'](sink);`, 1],
    ['core/x.ts', `// source$.subscribe(sink)\nconst text = 'source$.subscribe(sink)';`, 0],
    ['core/x.ts', `new Observable((out) => source$.subscribe(out));`, 0],
    [
      'core/x.ts',
      `new Observable<A>((out) => { const s = source$.subscribe(out); return () => s.unsubscribe(); });`,
      0,
    ],
    ['core/x.ts', `new Observable(function (out) { source$.subscribe(out); });`, 1],
    ['core/x.ts', `new Observable((out) => { source$.subscribe(out); return; });`, 1],
    ['core/x.ts', `new Observable((out) => { source$.subscribe({ next: () => { return 1; } }); });`, 1],
    ['core/x.ts', `class Run { connect() { return this.steps$.subscribe(this.sink); } }`, 0],
    ['core/x.ts', `const monitor = { connect: () => steps$.subscribe(sink) };`, 0],
    ['core/x.ts', `function reconnect() { return steps$.subscribe(sink); }`, 1],
    ['operators/x.ts', `function connect() { return steps$.subscribe(sink); }`, 1],
    ['dynamo/x.ts', `class Client { connect() { return this.sets$.subscribe(); } }`, 0],
    ['dynamo/x.ts', `class Client { watch() { return this.sets$.subscribe(); } }`, 1],
    ['service/x.ts', `export function run() { return steps$.subscribe(sink); }`, 0],
    ['service/x.ts', `export function start() { return steps$.subscribe(sink); }`, 1],
    ['testing/x.ts', `export function run() { return steps$.subscribe(sink); }`, 1],
    ['cli/x.ts', `export function replay() { return steps$.subscribe(sink); }`, 0],
  ])('judges src/%s: %s', (path, text, count) => {
    expect(straySubscriptions([{ path: `src/${path}`, text }])).toHaveLength(count);
  });
});

describe('texts', () => {
  const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].filter((path) =>
    existsSync(join(root, path)),
  );
  const texts = [
    ...read('src', () => true),
    ...read('docs', () => true),
    ...documents.map((path) => ({ path, text: readText(path) })),
  ];

  it('contain no conflict markers and no paths of a machine', () => {
    expect(leftovers(texts)).toEqual([]);
  });

  it('name no registry in the lockfile', () => {
    expect(registryLines(readText('package-lock.json'))).toEqual([]);
  });

  // Concatenated, so that this file does not contain what it searches for.
  const [todo, fixme] = ['TO' + 'DO', 'FIX' + 'ME'];
  it.each([
    [`// ${todo}: later`, 1],
    [`/* ${fixme} */`, 1],
    [`see /work/main/src`, 1],
    [`cd /work`, 1],
    [`'/home/someone/file'`, 1],
    ['`/tmp/out`', 1],
    [`keys under v1/instances/worker, /worker and /workers`, 0],
    [`https://example.org/home/page, src/tmp/x, todo`, 0],
  ])('are judged: %s', (text, count) => {
    expect(leftovers([{ path: 'README.md', text: `first\n${text}\n` }])).toHaveLength(count);
  });

  it('show a registry', () => {
    expect(registryLines('{\n  "resolved": "https://registry.npmjs.org/x.tgz"\n}')).toEqual([2]);
    expect(registryLines('{\n  "name": "resolved"\n}')).toEqual([]);
  });
});

/** Test files that import, themselves or through helpers, a module that starts processes or listens on ports. */
function startersReached(from: readonly TextFile[], all: readonly TextFile[]): string[] {
  const byPath = new Map(all.map((file) => [file.path, file]));
  const starter = /^(?:execa|node:(?:child_process|dgram|http|https|http2|net|tls))$/;
  return from.flatMap((test) => {
    const seen = new Set<string>();
    const found = new Set<string>();
    const visit = (file: TextFile): void => {
      if (seen.has(file.path)) return;
      seen.add(file.path);
      for (const name of importsOf(file)) {
        if (starter.test(name)) found.add(name);
        if (!name.startsWith('.')) continue;
        const next = byPath.get(posix.join(posix.dirname(file.path), name.replace(/\.js$/, '.ts')));
        if (next !== undefined) visit(next);
      }
    };
    visit(test);
    return [...found].map((name) => `${test.path}: ${name}`);
  });
}

/** What a file imports when it runs. */
function importsOf(file: TextFile): string[] {
  return nodesOf(file)
    .filter(ts.isStringLiteralLike)
    .filter(({ parent }) => isImport(parent))
    .map(({ text }) => text);
}

function isImport(node: ts.Node): boolean {
  if (ts.isCallExpression(node)) return ['import', 'require'].includes(node.expression.getText());
  if (ts.isImportDeclaration(node) && node.importClause?.isTypeOnly === true) return false;
  return ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isExternalModuleReference(node);
}

function folderOf(path: string): string {
  const [, first = '', second = ''] = path.split('/');
  return first === 'adapters' ? `${first}/${second}` : first;
}

function unreferenced(wanted: readonly string[], config: TextFile): string[] {
  const { references = [] } = parseConfig(config) as { references?: { path: string }[] };
  const found = references.map(({ path }) => posix.join(posix.dirname(config.path), path).replace(/\/$/, ''));
  return wanted.map((folder) => `src/${folder}`).filter((path) => !found.includes(path));
}

function parseConfig({ path, text }: TextFile): unknown {
  return (ts.parseConfigFileTextToJson(path, text) as { config: unknown }).config;
}

/** The options in force, those of the base configuration included. */
function readConfig(path: string): ts.CompilerOptions {
  const config = parseConfig({ path, text: readText(path) });
  return ts.parseJsonConfigFileContent(config, ts.sys, join(root, dirname(path))).options;
}

function impurities({ types, lib }: ts.CompilerOptions): string[] {
  return [
    ...(types ?? ['not set']).map((name) => `types: ${name}`),
    ...(lib ?? ['not set']).filter((name) => /dom|worker|not set/.test(name)).map((name) => `lib: ${name}`),
  ];
}

function straySubscriptions(sources: readonly TextFile[]): string[] {
  return sources.flatMap((file) =>
    nodesOf(file)
      .filter((node) => ts.isCallExpression(node) && memberOf(node.expression) === 'subscribe')
      .filter((node) => !maySubscribe(node, folderOf(file.path)))
      .map(positionOf),
  );
}

function memberOf(node: ts.Expression): string | undefined {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (!ts.isElementAccessExpression(node) || !ts.isStringLiteralLike(node.argumentExpression))
    return undefined;
  return node.argumentExpression.text;
}

function maySubscribe(call: ts.Node, folder: string): boolean {
  const allowed = subscribers.filter((subscriber) => subscriber.folder === folder);
  if (allowed.some(({ inside }) => inside === undefined)) return true;
  for (let node = call.parent; !ts.isSourceFile(node); node = node.parent) {
    if (!ts.isFunctionLike(node)) continue;
    const { parent } = node;
    if (ts.isNewExpression(parent) && parent.expression.getText() === 'Observable') return returnsValue(node);
    const named =
      ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) ? parent.name : node.name;
    if (named !== undefined && allowed.some(({ inside }) => inside === named.getText())) return true;
  }
  return false;
}

/** Whether the function itself, not one inside it, returns a value. */
function returnsValue(node: ts.SignatureDeclaration): boolean {
  const body = 'body' in node ? node.body : undefined;
  if (body === undefined || !ts.isBlock(body)) return body !== undefined;
  const search = (inner: ts.Node): boolean =>
    ts.isReturnStatement(inner)
      ? inner.expression !== undefined
      : !ts.isFunctionLike(inner) && inner.getChildren().some(search);
  return search(body);
}

/** All nodes of a file, tokens included, comments not. */
function nodesOf(file: TextFile): ts.Node[] {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    nodes.push(node);
    node.getChildren().forEach(visit);
  };
  visit(parse(file));
  return nodes;
}

function parse({ path, text }: TextFile): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

function positionOf(node: ts.Node): string {
  const source = node.getSourceFile();
  const { line } = source.getLineAndCharacterOfPosition(node.getStart());
  return `${source.fileName}:${line + 1}: ${source.text.split('\n')[line]?.trim()}`;
}

function leftovers(sources: readonly TextFile[]): string[] {
  const pattern = /\b(?:TODO|FIXME)\b|(?<![\w.~-])\/(?:work|home|tmp)(?![\w-])/;
  return sources.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
  );
}

function registryLines(lockfile: string): number[] {
  return lockfile.split('\n').flatMap((line, at) => (line.includes('"resolved":') ? [at + 1] : []));
}

function read(folder: string, wanted: (name: string) => boolean): TextFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && wanted(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort()
    .map((path) => ({ path, text: readText(path) }));
}

function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
