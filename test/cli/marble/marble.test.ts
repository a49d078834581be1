import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addMarbleCommand,
  marbleCommand,
  type MarbleAction,
} from '../../../src/cli/marble/marble-command.js';
import { root } from '../../support/root.js';

const good = `% A story.
-a
title = events
a := {"kind": "load", "workerId": 7, "activePrefillTokens": 11}

> model({ thresholds: { activePrefillTokensThreshold: 10 } })

yx
title = busy
x := ["7"]
y := []
`;
const wrong = good.replace('x := ["7"]', 'x := ["8"]');

const here = process.cwd();
let folder = '';
let output: string[] = [];
const terminal = {
  out: (line: string) => void output.push(line),
  err: (line: string) => void output.push(`err: ${line}`),
  progress: () => undefined,
};
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return name;
};
const marble = (action: MarbleAction, ...files: string[]): number =>
  marbleCommand(action, files, {}, terminal);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-'));
  output = [];
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(here);
  rmSync(folder, { recursive: true, force: true });
});

describe('tidemark marble check', () => {
  it('exit code 0: all marbles hold', () => {
    expect(marble('check', file('a.txt', good), file('b.txt', good))).toBe(0);
    expect(output).toEqual(['2 of 2 marbles hold']);
  });

  it('exit code 1: prints expected, actual and reasons of a marble that does not hold', () => {
    expect(marble('check', file('a.txt', good), file('b.txt', wrong))).toBe(1);
    expect(output).toEqual([
      `b.txt:8: busy is not as expected

  expected  yx
  actual    yA

    y  []
    x  ["8"]
    A  ["7"]

  - value differs in column 1: expected x, got A; [0] is "7", not "8"
`,
      '1 of 2 marbles hold',
    ]);
  });

  it('without files: all of marbles/', () => {
    mkdirSync(join(folder, 'marbles'));
    expect(() => marble('check')).toThrow('The folder marbles has no .txt file');
    file('marbles/a.txt', good);
    file('marbles/notes.md', 'nothing');
    expect(marble('check')).toBe(0);
    expect(output).toEqual(['1 of 1 marble holds']);
  });

  it('the marbles of the repository hold', () => {
    process.chdir(root);
    expect(marble('check')).toBe(0);
  });

  it.each([
    [
      'a missing file',
      () => marble('check', 'none.txt'),
      'Cannot read none.txt: the file does not exist; check the path.',
    ],
    ['no folder', () => marble('check'), 'There is no folder marbles here; name the files'],
    [
      'a malformed file',
      () => marble('check', file('a.txt', good.replace('x :=', 'y :='))),
      'a.txt:11: y is bound',
    ],
    [
      'an invalid event',
      () => marble('check', file('a.txt', good.replace('"load"', '"lod"'))),
      'a.txt:4: a: this is not an event',
    ],
    [
      'an unknown operator',
      () => marble('check', file('a.txt', good.replace('model', 'modell'))),
      'a.txt:6: there is no operator modell; the operators are',
    ],
  ])('exit code 2: %s, in one sentence', (_, call, message) => {
    expect(call).toThrow(message);
    expect(output).toEqual([]);
  });

  it('exit code 2: a malformed file among others; nothing is run', () => {
    expect(() => marble('check', file('b.txt', wrong), file('a.txt', 'nonsense 1'))).toThrow('a.txt:1: ');
    expect(output).toEqual([]);
  });
});

describe('tidemark marble update', () => {
  it('rewrites only marbles that do not hold', () => {
    expect(marble('update', file('a.txt', good), file('b.txt', wrong))).toBe(0);
    expect(output).toEqual(['a.txt: already holds', 'b.txt: rewritten']);
    expect([readFileSync('a.txt', 'utf8'), readFileSync('b.txt', 'utf8')]).toEqual([good, good]);
  });

  it('exit code 1: no row can show the actual output; the file is unchanged', () => {
    const events = '{"kind": "configError"}';
    const text = `(aa)-\ntitle = e\na := ${events}\n--b--\ntitle = f\nb := ${events}\n> model\n-----\ntitle = problems\n`;
    expect(marble('update', file('a.txt', text))).toBe(1);
    expect(output[0]).toMatch(
      /^a.txt:8: no row can show the emissions of problems: \(xx\) at 0 ms, x at 2 ms/,
    );
    expect(readFileSync('a.txt', 'utf8')).toBe(text);
  });
});

describe('tidemark marble draw', () => {
  it('writes to standard output, or to a file', () => {
    expect(marble('draw', file('a.txt', good))).toBe(0);
    expect(output.join('\n')).toMatch(/^<svg [^]*<\/svg>$/);
    expect(marbleCommand('draw', ['a.txt'], { output: 'a.svg' }, terminal)).toBe(0);
    expect(readFileSync('a.svg', 'utf8')).toBe(`${output[0]}\n`);
  });

  it('exit code 2: the file cannot be written', () => {
    const draw = (): number => marbleCommand('draw', [file('a.txt', good)], { output: 'no/a.svg' }, terminal);
    expect(draw).toThrow(/^Cannot write no\/a.svg: /);
  });
});

describe('tidemark marble', () => {
  const run = (...args: string[]): number | undefined => {
    let code: number | undefined;
    const root = new Command('tidemark').exitOverride();
    const command = addMarbleCommand(root, terminal, (given) => (code = given));
    for (const each of [root, command, ...command.commands])
      each.configureOutput({ writeErr: (text) => output.push(text), writeOut: (text) => output.push(text) });
    root.parse(['marble', ...args], { from: 'user' });
    return code;
  };

  it('has its subcommands', () => {
    file('a.txt', good);
    file('b.txt', wrong);
    expect([run('check', 'a.txt'), run('check', 'b.txt'), run('draw', 'a.txt', '-o', 'a.svg')]).toEqual([
      0, 1, 0,
    ]);
    expect(readFileSync('a.svg', 'utf8')).toContain('<svg ');
    expect(run('update', 'b.txt')).toBe(0);
  });

  it.each(['check', 'update', 'draw'])(
    '%s has help with an example, and refuses unknown options',
    (action) => {
      expect(() => run(action, '--help')).toThrow('(outputHelp)');
      expect(output.join('')).toContain(`$ tidemark marble ${action}`);
      expect(() => run(action, '--nonsense')).toThrow("unknown option '--nonsense'");
    },
  );

  it('needs a subcommand', () => {
    expect(() => run()).toThrow();
    expect(output.join('')).toContain('Commands:');
  });
});
