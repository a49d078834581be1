import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { policyTable } from './support/policy-table.js';
import { root } from './support/root.js';
import { runCli } from './support/run-cli.js';

const path = join(root, 'README.md');
const readme = readFileSync(path, 'utf8');

describe('README', () => {
  it('the table of policies is the table of policies (TIDEMARK_WRITE=1 writes it)', () => {
    const between = /(<!-- policy table: begin[^\n]*-->\n)[^]*(<!-- policy table: end -->)/;
    const written = readme.replace(
      between,
      (_, begin: string, end: string) => `${begin}\n<!-- prettier-ignore -->\n${policyTable()}\n\n${end}`,
    );
    if (process.env['TIDEMARK_WRITE'] === '1') writeFileSync(path, written);
    else expect(readme).toBe(written);
  });

  const commands = [...readme.matchAll(/^npx tidemark (.*)$/gm)].map(([, args = '']) => args.split(' '));
  it.each(commands)('its command works: tidemark %s', async (...args) => {
    const { code, out } = await runCli(args);
    expect(out).not.toBe('');
    expect(code).toBe(0);
  });

  it('shows the commands of every kind', () => {
    expect(new Set(commands.map(([command]) => command))).toEqual(
      new Set(['demo', 'replay', 'decode', 'marble', 'stats']),
    );
  });

  it('the scripts it names exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const [, script = ''] of readme.matchAll(/npm (?:run )?(start|test|build|lint|format)/g))
      expect(scripts).toHaveProperty(script);
  });
});
