import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { outcomeOf, RunningProcess } from '../support/processes.js';
import { root } from '../support/root.js';

const main = join(root, 'dist/cli/main.js');
const nowhere = ['--nats', 'nats://127.0.0.1:1', '--etcd', 'http://127.0.0.1:1'];
const commands = {
  watch: ['watch', ...nowhere],
  simulate: ['simulate', ...nowhere],
  record: ['record', '-', ...nowhere],
  stats: ['stats', '--watch', '--nats', 'nats://127.0.0.1:1'],
  serve: ['serve', ...nowhere, '--port', '0', '--log-level', 'silent'],
  demo: ['demo', '--port', '0', '--duration', '3600'],
};
type Command = keyof typeof commands;
const names = Object.keys(commands) as Command[];

/** Starts a command as the first process of a process namespace, as in a container. */
const asInit = ['unshare', '--pid', '--fork', '--kill-child', process.execPath] as const;
const canBeInit = (await outcomeOf('unshare', ['--pid', '--fork', 'true'])).code === 0;
const processes = [
  { as: 'a process', start: [process.execPath] as const },
  ...(canBeInit ? [{ as: 'the first process of a container', start: asInit }] : []),
];
const cases = processes.flatMap(({ as, start }) =>
  // Both signals are handled alike.
  names.map((name, index) => ({ as, start, name, signal: index % 2 === 0 ? 'SIGTERM' : 'SIGINT' }) as const),
);

interface Started {
  readonly cli: RunningProcess;
  signal(signal: NodeJS.Signals): void;
}

function startAs([program, ...args]: readonly [string, ...string[]], more: string[], env = {}): Started {
  const cli = new RunningProcess(program, [...args, main, ...more], { cwd: root, env });
  const signal = (name: NodeJS.Signals): void => {
    if (program !== 'unshare') cli.signal(name);
    else process.kill(Number(readFileSync(`/proc/${cli.pid}/task/${cli.pid}/children`, 'utf8')), name);
  };
  return { cli, signal };
}

/** Makes the import of a package take for ever; it first says so on standard output. */
function neverImporting(packageName: string): NodeJS.ProcessEnv {
  const asUrl = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
  const hook = `
    import { writeSync } from 'node:fs';
    export async function resolve(specifier, context, next) {
      if (specifier !== '${packageName}') return next(specifier, context);
      writeSync(1, 'loading\\n');
      return new Promise(() => setInterval(() => undefined, 1000));
    }`;
  const preload = `import { register } from 'node:module'; register(${JSON.stringify(asUrl(hook))});`;
  return { NODE_OPTIONS: `--import ${asUrl(preload)}` };
}

describe('a signal to a command', () => {
  it.concurrent.each(cases)(
    '$signal to $as: $name ends while its code is loaded',
    async ({ start, name, signal }) => {
      const started = startAs(start, commands[name], neverImporting('commander'));
      await using cli = started.cli;
      await cli.wrote;
      expect(cli.out).toBe('loading\n');
      started.signal(signal);
      expect((await cli.ended).code).not.toBe(0);
    },
  );

  const optional: Partial<Record<Command, string>> = { watch: 'etcd3', stats: 'nats', serve: 'fastify' };
  it.concurrent.each(cases.filter(({ name }) => name in optional))(
    '$signal to $as: $name ends while an optional package is loaded',
    async ({ start, name, signal }) => {
      const started = startAs(start, commands[name], neverImporting(optional[name] ?? ''));
      await using cli = started.cli;
      await cli.wrote;
      expect(cli.out).toBe('loading\n');
      started.signal(signal);
      expect((await cli.ended).code).not.toBe(0);
    },
  );

  it.concurrent.each(cases)(
    '$signal to $as: $name ends in good order while it waits for its servers',
    async ({ start, name, signal }) => {
      const started = startAs(start, commands[name]);
      await using cli = started.cli;
      const begun = { serve: 'serving every', demo: 'serving the demo', stats: 'down' }[name as string];
      await eventually(() => (cli.out + cli.err).includes(begun ?? 'down'));
      started.signal(signal);
      const { code, out, err } = await cli.ended;
      // It never reached a server.
      expect(code).toBe(name === 'watch' ? 2 : 0);
      if (!['serve', 'stats'].includes(name)) expect(out + err).toMatch(/^after \d+\.\d s: /m);
    },
  );

  it.concurrent.each(processes)('a second signal to $as ends it at once', async ({ start }) => {
    const started = startAs(start, [...commands.serve, '--drain-seconds', '3600']);
    await using cli = started.cli;
    await eventually(() => cli.out.includes('serving'));
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(cli.out)?.[0] ?? '';
    started.signal('SIGTERM');
    await eventually(async () => (await (await fetch(`${url}/readyz`)).text()).includes('stopping'));
    started.signal('SIGINT');
    expect((await cli.ended).code).not.toBe(0);
  });

  it('ends a command whose output nobody reads', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-signals-'));
    const pipe = join(folder, 'pipe');
    await outcomeOf('mkfifo', [pipe]);
    const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      expect(() => {
        for (;;) writeSync(reader, Buffer.alloc(4096));
      }).toThrow('EAGAIN');
      const demo = ['-c', 'exec "$0" "$@" > "$PIPE"', process.execPath, main, ...commands.demo, '--json'];
      await using cli = new RunningProcess('sh', demo, { cwd: root, env: { PIPE: pipe } });
      await eventually(() => cli.err.includes('serving the demo'));
      expect((await cli.end('SIGTERM')).code).toBe(0);
    } finally {
      closeSync(reader);
      rmSync(folder, { recursive: true });
    }
  });
});
