import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A text file of the repository; the path counts from the root. */
interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** What the files of a room may import. An absent list forbids, `'any'` allows whatever package.json declares. */
interface RoomRule {
  readonly rooms?: readonly string[] | 'any';
  readonly npm?: readonly string[] | 'any';
  readonly node?: true;
  /** One package more, the same in all files of the room. */
  readonly clientLibrary?: true;
}

/** Adapters do not know each other; all of them use the clock and the loader of optional packages. */
const adapter: RoomRule = {
  rooms: ['core', 'operators', 'wire', 'adapters/clock', 'adapters/packages'],
  npm: ['rxjs'],
  node: true,
  clientLibrary: true,
};

const roomRules: Readonly<Record<string, RoomRule>> = {
  operators: { npm: ['rxjs'] },
  core: { rooms: ['operators'], npm: ['rxjs'] },
  wire: { rooms: ['core'], npm: ['@msgpack/msgpack'] },
  'adapters/clock': { npm: ['rxjs'], node: true },
  'adapters/packages': { rooms: ['core'], node: true },
  'adapters/*': adapter,
  dynamo: { rooms: ['core', 'operators', 'wire', 'adapters/*', 'adapters/clock'], npm: ['rxjs'] },
  simulator: { rooms: ['core', 'wire'] },
  service: {
    rooms: [
      'core',
      'operators',
      'wire',
      'adapters/*',
      'adapters/clock',
      'adapters/packages',
      'dynamo',
      'simulator',
    ],
    npm: 'any',
    node: true,
  },
  cli: { rooms: 'any', npm: 'any', node: true },
  testing: { rooms: ['operators', 'core', 'wire'], npm: ['rxjs', 'rxjs/testing'] },
};

/** Rooms that compile without Node and without a browser. */
const pureRooms = ['core', 'operators', 'wire'];

/** Where a subscription may begin, besides `new Observable(…)` that returns its teardown. */
const subscribers: readonly { readonly room: string; readonly inside?: string }[] = [
  { room: 'core', inside: 'connect' },
  { room: 'dynamo', inside: 'connect' },
  { room: 'service', inside: 'run' },
  { room: 'cli' },
  // A conformance case is the one who listens to the source it judges.
  { room: 'testing', inside: 'listen' },
];

/** Files that hold nothing but a table of data and may be longer than the limit. */
const dataTables: readonly string[] = ['src/adapters/prometheus/metric-names.ts'];
const MAX_LINES = 200;
const MAX_MEDIAN = 60;

const files = read('src', (name) => name.endsWith('.ts'));
const rooms = [...new Set(files.map((file) => roomOf(file.path)))].sort();

describe('imports between rooms', () => {
  it('follow the table', () => {
    expect(files.length).toBeGreaterThan(0);
    expect(forbiddenImports(files)).toEqual([]);
  });

  it.each([
    {
      room: 'core',
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
    { room: 'operators', allowed: ['rxjs'], forbidden: ['../core/x.js', 'rxjs/testing', 'node:timers'] },
    { room: 'wire', allowed: ['@msgpack/msgpack', '../core/x.js'], forbidden: ['rxjs', '../operators/x.js'] },
    { room: 'simulator', allowed: ['../core/x.js', '../wire/x.js'], forbidden: ['rxjs', '../testing/x.js'] },
    {
      room: 'testing',
      allowed: ['rxjs', 'rxjs/testing', '../operators/x.js', '../core/x.js', '../wire/x.js'],
      forbidden: ['../simulator/x.js', 'vitest', 'node:fs'],
    },
    {
      room: 'adapters/nats',
      allowed: ['rxjs', 'nats', 'node:net', './y.js', '../../wire/x.js', '../clock/x.js'],
      forbidden: ['../etcd/x.js', '../../simulator/x.js', '../../dynamo/x.js'],
    },
    {
      room: 'dynamo',
      allowed: ['rxjs', '../adapters/nats/x.js'],
      forbidden: ['../service/x.js', 'nats', 'node:fs'],
    },
    {
      room: 'service',
      allowed: ['rxjs', 'node:http', '../adapters/nats/x.js', '../dynamo/x.js', '../simulator/x.js'],
      forbidden: ['../testing/x.js', '../cli/x.js', 'express'],
    },
    {
      room: 'cli',
      allowed: ['commander', 'node:fs', '../testing/x.js', '../simulator/x.js'],
      forbidden: ['vitest', 'no-such-package', '../../test/x.js'],
    },
  ])('of $room are judged', ({ room, allowed, forbidden }) => {
    const path = `src/${room}/made-up.ts`;
    const text = [...allowed, ...forbidden].map((name) => `import '${name}';`).join('\n');
    expect(forbiddenImports([{ path, text }])).toEqual(forbidden.map((name) => `${path}: ${name}`));
  });

  it.each([
    [`import { x } from '../wire/x.js';`, ['../wire/x.js']],
    [`import type { X } from '../wire/x.js';`, ['../wire/x.js']],
    [`export { x } from '../wire/x.js';`, ['../wire/x.js']],
    [`export type X = import('../wire/x.js').X;`, ['../wire/x.js']],
    [`const x = await import('../wire/x.js');`, ['../wire/x.js']],
    [`const x = require('../wire/x.js');`, ['../wire/x.js']],
    [`/// <reference types="node" />`, ['reference node']],
    [`/// <reference lib="dom" />`, ['reference dom']],
    [`// import '../wire/x.js'\nconst text = "import '../wire/x.js'";`, []],
  ])('are found in every form: %s', (text, wrong) => {
    const path = 'src/core/made-up.ts';
    expect(forbiddenImports([{ path, text }])).toEqual(wrong.map((what) => `${path}: ${what}`));
  });

  it('need a row in the table', () => {
    expect(forbiddenImports([{ path: 'src/attic/x.ts', text: '' }])).toEqual([
      'src/attic/x.ts: no such room in the table',
    ]);
  });

  it('bring at most one client library into an adapter', () => {
    expect(tooManyClients(files)).toEqual([]);
    const nats = {
      path: 'src/adapters/nats/a.ts',
      text: `import 'nats'; import 'nats/x'; import 'node:fs'; import 'rxjs';`,
    };
    const etcd = { path: 'src/adapters/etcd/a.ts', text: `import { Etcd3 } from 'etcd3';` };
    const both = { path: 'src/adapters/nats/b.ts', text: `import { Etcd3 } from 'etcd3';` };
    expect(tooManyClients([nats, etcd])).toEqual([]);
    expect(tooManyClients([nats, both])).toEqual(['src/adapters/nats: etcd3, nats']);
  });
});

describe('configurations of the rooms', () => {
  it.each(['tsconfig.json', 'test/tsconfig.json'])('are all referenced in %s', (path) => {
    expect(unreferenced(rooms, { path, text: readText(path) })).toEqual([]);
  });

  it.each(rooms)('%s has its own', (room) => {
    expect(existsSync(join(root, 'src', room, 'tsconfig.json'))).toBe(true);
  });

  it.each(rooms.filter((room) => pureRooms.includes(room)))('%s knows neither Node nor the DOM', (room) => {
    expect(impurities(readConfig(join('src', room, 'tsconfig.json')))).toEqual([]);
  });

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
  it('begin only where the house allows it', () => {
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

describe('exports', () => {
  it('are lists of names', () => {
    expect(namelessExports(files)).toEqual([]);
  });

  it.each([
    [`export * from './a.js';`, 1],
    [`export * as a from './a.js';`, 1],
    [`export type * from './a.js';`, 1],
    [`export default 1;`, 1],
    [`export default class A {}`, 1],
    [`export default function () {}`, 1],
    [`const a = 1;\nexport { a as default };`, 1],
    [`export { default } from './a.js';`, 1],
    [`switch (a) { default: }`, 0],
    [`export { a } from './a.js';\nexport const b = 1; // export default b`, 0],
  ])('are judged: %s', (text, count) => {
    expect(namelessExports([{ path: 'src/core/made-up.ts', text }])).toHaveLength(count);
  });
});

describe('sizes', () => {
  it(`are at most ${MAX_LINES} lines per file`, () => {
    expect(tooLong(files, dataTables)).toEqual([]);
  });

  it(`have a median of at most ${MAX_MEDIAN} lines of code`, () => {
    expect(median(files.map(codeLines))).toBeLessThanOrEqual(MAX_MEDIAN);
  });

  it('are measured', () => {
    const long = { path: 'src/core/long.ts', text: '//\n'.repeat(MAX_LINES + 1) };
    const short = { path: 'src/core/short.ts', text: '//\n'.repeat(MAX_LINES) };
    expect(tooLong([long, short], [])).toEqual(['src/core/long.ts: 201 lines']);
    expect(tooLong([long, short], ['src/core/long.ts'])).toEqual([]);
    expect(tooLong([short], ['src/core/short.ts', 'src/core/gone.ts'])).toEqual([
      'src/core/short.ts: needs no exception',
      'src/core/gone.ts: needs no exception',
    ]);
    const text = '/** a\n * b\n */\nconst a = 1; // c\n\n// d\nconst b = `\n${a}\n`;\n';
    expect(codeLines({ path: 'src/core/made-up.ts', text })).toBe(4);
    expect([median([9, 1, 4]), median([1, 60, 62, 100])]).toEqual([4, 61]);
  });
});

describe('texts', () => {
  const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].filter((path) =>
    existsSync(join(root, path)),
  );
  const texts = [...read('src', () => true), ...documents.map((path) => ({ path, text: readText(path) }))];

  it('keep no marks and no paths of a machine', () => {
    expect(leftovers(texts)).toEqual([]);
  });

  it('name no registry in the lockfile', () => {
    expect(registryLines(readText('package-lock.json'))).toEqual([]);
  });

  // Put together here, so that this file stays free of what it looks for.
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

function forbiddenImports(sources: readonly TextFile[]): string[] {
  return sources.flatMap((file) => {
    const room = roomOf(file.path);
    const rule = roomRules[tableKey(room)];
    const wrong =
      rule === undefined
        ? ['no such room in the table']
        : [...importsOf(file).filter((name) => !mayImport(rule, file.path, name)), ...directivesOf(file)];
    return wrong.map((what) => `${file.path}: ${what}`);
  });
}

function mayImport(rule: RoomRule, path: string, name: string): boolean {
  if (name.startsWith('node:')) return rule.node === true;
  if (!name.startsWith('.')) {
    if (rule.npm === 'any') return isDeclared(packageOf(name));
    return allows(rule.npm, name) || rule.clientLibrary === true;
  }
  const target = posix.join(posix.dirname(path), name);
  const other = roomOf(target);
  return target.startsWith('src/') && (other === roomOf(path) || allows(rule.rooms, tableKey(other)));
}

/** Rooms that may import one client library and import several. */
function tooManyClients(sources: readonly TextFile[]): string[] {
  const clients = new Map<string, Set<string>>();
  for (const file of sources) {
    const room = roomOf(file.path);
    const rule = roomRules[tableKey(room)];
    if (rule?.clientLibrary !== true) continue;
    const packages = clients.get(room) ?? new Set();
    clients.set(room, packages);
    for (const name of importsOf(file)) {
      if (!/^\.|^node:/.test(name) && !allows(rule.npm, name)) packages.add(packageOf(name));
    }
  }
  return [...clients]
    .filter(([, packages]) => packages.size > 1)
    .map(([room, packages]) => `src/${room}: ${[...packages].sort().join(', ')}`);
}

function importsOf(file: TextFile): string[] {
  return nodesOf(file)
    .filter(ts.isStringLiteralLike)
    .filter(
      ({ parent }) =>
        isImport(parent) || (ts.isLiteralTypeNode(parent) && ts.isImportTypeNode(parent.parent)),
    )
    .map(({ text }) => text);
}

function isImport(node: ts.Node): boolean {
  if (ts.isCallExpression(node)) return ['import', 'require'].includes(node.expression.getText());
  return ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isExternalModuleReference(node);
}

/**
 * Directives `/// <reference … />`, a side door into a room. A declaration that has `[Symbol.dispose]` brings the library
 * that declares it, so that users need not name it.
 */
function directivesOf(file: TextFile): string[] {
  const { referencedFiles, typeReferenceDirectives, libReferenceDirectives } = parse(file);
  return [...referencedFiles, ...typeReferenceDirectives, ...libReferenceDirectives]
    .filter(({ fileName }) => fileName !== 'esnext.disposable')
    .map(({ fileName }) => `reference ${fileName}`);
}

function allows(list: readonly string[] | 'any' | undefined, name: string): boolean {
  return list === 'any' || (list?.includes(name) ?? false);
}

/** Dependencies and peers: what is there after `npm install tidemark`. */
function isDeclared(name: string): boolean {
  const manifest = JSON.parse(readText('package.json')) as Record<string, Record<string, string> | undefined>;
  return name in { ...manifest['dependencies'], ...manifest['peerDependencies'] };
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function roomOf(path: string): string {
  const [, first = '', second = ''] = path.split('/');
  return first === 'adapters' ? `${first}/${second}` : first;
}

function tableKey(room: string): string {
  return room.startsWith('adapters/') && !(room in roomRules) ? 'adapters/*' : room;
}

function unreferenced(wanted: readonly string[], config: TextFile): string[] {
  const { references = [] } = parseConfig(config) as { references?: { path: string }[] };
  const found = references.map(({ path }) => posix.join(posix.dirname(config.path), path).replace(/\/$/, ''));
  return wanted.map((room) => `src/${room}`).filter((path) => !found.includes(path));
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
      .filter((node) => !maySubscribe(node, roomOf(file.path)))
      .map(place),
  );
}

function memberOf(node: ts.Expression): string | undefined {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (!ts.isElementAccessExpression(node) || !ts.isStringLiteralLike(node.argumentExpression))
    return undefined;
  return node.argumentExpression.text;
}

function maySubscribe(call: ts.Node, room: string): boolean {
  const allowed = subscribers.filter((place) => place.room === room);
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

function namelessExports(sources: readonly TextFile[]): string[] {
  const isNameless = (node: ts.Node): boolean =>
    (ts.isExportDeclaration(node) &&
      (node.exportClause === undefined || ts.isNamespaceExport(node.exportClause))) ||
    (ts.isExportSpecifier(node) && node.name.text === 'default') ||
    (node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent));
  return sources.flatMap((file) => nodesOf(file).filter(isNameless).map(place));
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

function place(node: ts.Node): string {
  const source = node.getSourceFile();
  const { line } = source.getLineAndCharacterOfPosition(node.getStart());
  return `${source.fileName}:${line + 1}: ${source.text.split('\n')[line]?.trim()}`;
}

function tooLong(sources: readonly TextFile[], exceptions: readonly string[]): string[] {
  const long = sources.filter(({ text }) => lineCount(text) > MAX_LINES);
  const paths = long.map(({ path }) => path);
  return [
    ...long
      .filter(({ path }) => !exceptions.includes(path))
      .map(({ path, text }) => `${path}: ${lineCount(text)} lines`),
    ...exceptions.filter((path) => !paths.includes(path)).map((path) => `${path}: needs no exception`),
  ];
}

function lineCount(text: string): number {
  return text.replace(/\n$/, '').split('\n').length;
}

/** Lines that hold more than white space and comments. */
function codeLines(file: TextFile): number {
  const lines = new Set<number>();
  for (const node of nodesOf(file)) {
    if (node.getChildCount() > 0 || node.getStart() === node.end) continue;
    const source = node.getSourceFile();
    const last = source.getLineAndCharacterOfPosition(node.end).line;
    for (let line = source.getLineAndCharacterOfPosition(node.getStart()).line; line <= last; line += 1)
      lines.add(line);
  }
  return lines.size;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[sorted.length / 2 - 1] ?? 0)) / 2;
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
