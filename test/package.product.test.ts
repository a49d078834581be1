import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOOK_MS, packedProject, type PackedProject } from './support/packed-project.js';
import { runSync } from './support/processes.js';
import { root } from './support/root.js';

// The composition of the architecture page, with fake sources instead of servers.
const program = `
import { map, of, Subject } from 'rxjs';
import { loadMonitor, performCleanup, policies, workerId, type ActiveLoad } from 'tidemark';

const loads$ = new Subject<ActiveLoad>();
const ids = [workerId('7'), workerId('8')];
const prefillEndpoint$ = new Subject<string>();
const monitor = loadMonitor(
  {
    loads: loads$,
    configs: of(new Map([[ids[0]!, { totalKvBlocks: 100 }]])),
    decodeInstances: of(new Set(ids)),
    prefillInstances: prefillEndpoint$.pipe(map(() => of([workerId('9')]))),
    thresholds: of({ activeDecodeBlocksThreshold: 0.85 }),
  },
  { policy: policies.default },
);
monitor.transitions$.subscribe((t) => console.log(t.verdict.text));
monitor.problems$.subscribe((p) => console.log(p.code));
monitor.cleanups$.pipe(performCleanup(() => undefined)).subscribe();
monitor.connect();
loads$.next({ workerId: ids[0]!, dpRank: 0, activeDecodeBlocks: 90, activePrefillTokens: null, kvUsedBlocks: null });
const usable = ids.find((id) => !monitor.snapshot()?.busy.has(id));
console.log(usable);
`;

let packed: PackedProject;
let project = '';

beforeAll(async () => {
  packed = await packedProject();
  project = packed.folder;
  await packed.write({ 'main.ts': program });
}, HOOK_MS);
afterAll(() => packed[Symbol.asyncDispose]());

describe('the packed package, in a project with only rxjs', () => {
  it.each([
    ['node16', { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 }],
    ['bundler', { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }],
  ])('compiles under %s resolution', (_, resolution) => {
    const file = join(project, 'main.ts');
    const options: ts.CompilerOptions = {
      ...resolution,
      target: ts.ScriptTarget.ES2022,
      strict: true,
      types: [],
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    };
    const compiled = ts.createProgram([file], options);
    const errors = ts
      .getPreEmitDiagnostics(compiled)
      .map((error) => ts.flattenDiagnosticMessageText(error.messageText, '\n'));
    expect(errors).toEqual([]);
    compiled.emit();
  });

  it('runs', () => {
    expect(runSync(process.execPath, ['main.js'], { cwd: project }).trimEnd().split('\n')).toEqual([
      'source-stale',
      'source-stale',
      'worker 7 is busy: rank 0 active decode blocks 90 > 85 (1 of 1 ranks busy, 1 needed)',
      '8',
      // The prefill worker has no config. It was unknown for ten seconds.
      'worker-not-known',
    ]);
  });

  it('a generic operator pulls in no reducer', () => {
    const reached = importsFrom(join(root, 'dist/operators/index.js'));
    expect([...reached].filter((file) => !file.startsWith('dist/operators/'))).toEqual([]);
    expect(reached.size).toBeGreaterThan(2);
    expect(
      [...importsFrom(join(root, 'dist/core/index.js'))].some((file) => file.includes('fleet-load')),
    ).toBe(true);
  });

  it('holds what it needs and nothing of ours', () => {
    const files = readdirSync(join(project, 'node_modules/tidemark'), { recursive: true, encoding: 'utf8' });
    expect(files).toContain('dist/cli/main.js');
    expect(
      files.filter(
        (file) => /test|fixtures|tsconfig|tsbuildinfo|\.examples/.test(file) && !file.includes('testing'),
      ),
    ).toEqual([]);
  });
});

/** The files that a module reaches through relative imports. */
function importsFrom(file: string, reached = new Set<string>()): Set<string> {
  const name = relative(root, file);
  if (reached.has(name)) return reached;
  reached.add(name);
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g))
    importsFrom(join(dirname(file), target), reached);
  return reached;
}
