import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  commandSettings,
  settingNames,
  type CommandName,
} from '../../../src/cli/settings/command-settings.js';
import { resolveSettings, type Environment, type Flags } from '../../../src/cli/settings/resolve-settings.js';
import type { Setting } from '../../../src/cli/settings/setting.js';
import { withSettings } from '../../../src/cli/settings/with-settings.js';
import { pathOf, writeFile } from './config-folder.js';

const commands = Object.keys(commandSettings) as CommandName[];
const settingsOf = (command: CommandName): [string, Setting][] =>
  Object.entries<Setting>(commandSettings[command]);

const resolve = async (command: CommandName, flags: Flags = {}, environment: Environment = {}) => {
  const { resolved, problems } = await resolveSettings(command, flags, environment, () => ({}));
  const of = (name: string): unknown[] => {
    const entry = resolved.find((candidate) => candidate.name === name);
    return [entry?.value, entry?.originText];
  };
  return { of, problems };
};

/** Flags as commander parses them for a command. */
const parsed = (command: CommandName, ...args: string[]): Flags =>
  withSettings(new Command(), command).exitOverride().parse(args, { from: 'user' }).opts();

const canRead = ({ read }: Setting, text: string): boolean => {
  try {
    read([text]);
    return true;
  } catch {
    return false;
  }
};

/** Texts of which every setting accepts two, and of which every setting refuses one. */
const goodTexts = [
  'true',
  'false',
  '1.0',
  '1.6',
  'dynamo-1.0',
  'default',
  'info',
  'warn',
  'http://a:1',
].concat(['exact', 'prefix', 'http://b:2', '0.25', '0.5', '12', '13', '2000', '3000']);
const badTexts = ['nonsense', '-7', ' '];

/** Two valid texts of a setting, and an invalid one. */
const samplesOf = (setting: Setting): { one: string; other: string; bad: string } => {
  const [one = '', other = ''] = goodTexts.filter((text) => canRead(setting, text));
  const [bad = ''] = badTexts.filter((text) => !canRead(setting, text));
  expect([one, other, bad]).not.toContain('');
  return { one, other, bad };
};
const json = (name: string, values: object): string => writeFile(name, JSON.stringify(values));

/** For thresholds, the file takes precedence over the environment. */
function inOrderOfPrecedence<T>(name: string, environment: T, file: T): T[] {
  return name.startsWith('active') ? [file, environment] : [environment, file];
}

describe.each(commands)('tidemark %s', (command) => {
  it.each(settingsOf(command))(
    '%s: a flag takes precedence over the environment, then the file (before the environment for thresholds), then the default',
    async (name, setting) => {
      const { flag, env, defaultValue, read } = setting;
      const { one, other } = samplesOf(setting);
      const origins = [`environment ${env}`];
      if (flag !== undefined) {
        const [word = '', argument] = flag.split(' ');
        const flags = parsed(command, word, ...(argument === undefined ? [] : [one]));
        const { of, problems } = await resolve(command, flags, { [env]: other });
        expect([of(name), problems]).toEqual([[read([one]), `flag ${word}`], []]);
        origins.push(`flag ${word}`);
      }
      const config = json(`${command}-${name}.json`, { [name]: other });
      const [first] = inOrderOfPrecedence(
        name,
        [read([one]), `environment ${env}`],
        [read([other]), `file ${config}`],
      );
      expect((await resolve(command, { config }, { [env]: one })).of(name)).toEqual(first);
      expect((await resolve(command, {}, { TIDEMARK_CONFIG: config, [env]: '' })).of(name)).toEqual([
        read([other]),
        `file ${config}`,
      ]);
      expect((await resolve(command, {}, { [env]: '' })).of(name)).toEqual([defaultValue, 'default']);
    },
  );

  it('reports all invalid values together, each with its origin, even those that are overridden', async () => {
    const settings = settingsOf(command);
    const bad = Object.fromEntries(settings.map(([name, setting]) => [name, samplesOf(setting).bad]));
    const config = json(`${command}-bad.json`, bad);
    const environment = Object.fromEntries(settings.map(([name, { env }]) => [env, bad[name]]));
    const withValue = settings.filter(([, { flag }]) => flag?.includes(' ') === true);
    const args = withValue.flatMap(([name, { flag = '' }]) => [flag.split(' ')[0] ?? '', `${bad[name]}`]);
    const flags = parsed(command, ...args, '--config', config);
    const { problems } = await resolve(command, flags, environment);
    const expected = settings.flatMap(([name, { flag, env }]) => [
      ...(flag?.includes(' ') === true ? [[name, `(flag ${flag.split(' ')[0]}).`]] : []),
      ...inOrderOfPrecedence(name, [name, `(environment ${env}).`], [name, `(file ${config}).`]),
    ]);
    expect(
      problems.map((problem) => [problem.split(' must be ')[0], /\([^()]*\)\.$/.exec(problem)?.[0]]),
    ).toEqual(expected);
  });

  it('accepts a file with the settings of all commands, and refuses a name that is no setting', async () => {
    const all = new Map(commands.flatMap(settingsOf));
    const values = [...all].map(([name, setting]) => [name, samplesOf(setting).one]);
    const config = json(`${command}-all.json`, Object.fromEntries(values) as object);
    const { problems, of } = await resolve(command, { config });
    expect(problems).toEqual([]);
    for (const [name] of settingsOf(command)) expect(of(name)[1]).toBe(`file ${config}`);
    const wrong = json(`${command}-wrong.json`, { prot: 80 });
    expect((await resolve(command, { config: wrong })).problems).toEqual([
      `prot in ${wrong} is not a setting; the settings are ${settingNames.join(', ')}.`,
    ]);
  });

  it('lists every setting with its variable in --help', () => {
    let help = '';
    withSettings(new Command(), command)
      .configureOutput({ writeOut: (text) => (help += text) })
      .outputHelp();
    const text = help.replace(/\s+/g, ' ');
    for (const [, { flag, env }] of settingsOf(command)) {
      if (flag !== undefined) expect(text).toContain(` ${flag} `);
      expect(text).toContain(flag === undefined ? env : `(env: ${env}`);
    }
  });
});

describe('settings', () => {
  it('have the same flag, variable and reader in every command, and a variable of their own', () => {
    const seen = new Map<string, Setting>();
    for (const command of commands) {
      const flags = settingsOf(command).flatMap(([, { flag }]) =>
        flag === undefined ? [] : [flag.split(' ')[0]],
      );
      expect(new Set(flags).size).toBe(flags.length);
      for (const [name, { flag, env, read, text }] of settingsOf(command)) {
        const before = seen.get(name) ?? { flag, env, read, text };
        expect({ flag, env, read, text }).toEqual({ ...before, flag: before.flag });
        seen.set(name, { ...(flag !== undefined && { flag }), env, read, text });
      }
    }
    const variables = [...seen.values()].map(({ env }) => env);
    expect(new Set(variables).size).toBe(variables.length);
  });

  it.each([
    [
      'all.yaml',
      'simulate: true\ngeneration: 1.0\nmodel: "m"\nactivePrefillTokensThreshold: 18446744073709551615\nactiveDecodeBlocksThreshold: 1e-1\nfrontend:\n  - http://a:1\n  - http://b:2\nnamespace:\nhost: ~\n',
    ],
    [
      'all.json',
      '{"simulate":true,"generation":1.0,"model":"m","activePrefillTokensThreshold":18446744073709551615,"activeDecodeBlocksThreshold":1e-1,"frontend":["http://a:1","http://b:2"],"namespace":null,"host":""}',
    ],
  ])('%s: every kind of value is read as it was written', async (name, text) => {
    const { settings, problems } = await resolveSettings(
      'serve',
      {},
      { TIDEMARK_CONFIG: writeFile(name, text) },
      () => ({}),
    );
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({
      simulate: true,
      generation: '1.0',
      model: 'm',
      activePrefillTokensThreshold: 18446744073709551615n,
      activeDecodeBlocksThreshold: 0.1,
      frontend: ['http://a:1', 'http://b:2'],
      namespace: undefined,
      host: '127.0.0.1',
    });
  });

  it.each([
    ['nats', ['n:1', 'n:2']],
    ['etcd', ['http://e:1', 'http://e:2']],
    ['frontend', ['http://f:1', 'http://f:2']],
  ])(
    '%s accepts comma-separated values, lists and both, and ignores repeated values',
    async (name, expected) => {
      const [first, second] = expected;
      for (const value of [`${first}, ${second},`, [first, second], [`${first},${second}`, first]])
        expect((await resolve('serve', { [name]: value as string })).of(name)[0]).toEqual(expected);
      expect((await resolve('serve', { [name]: ',' })).problems).toEqual([
        `${name} must be one or more values, not "," (flag --${name}).`,
      ]);
    },
  );

  it.each([
    ['missing.yaml', null, /Cannot read .*missing\.yaml: the file does not exist/],
    ['bad.yaml', 'a: [', /Cannot read .*bad\.yaml: /],
    ['bad.json', '{"a"', /Cannot read .*bad\.json: .*\(byte 4\)/],
    ['list.json', '[1]', /list\.json must be a mapping/],
    ['word.yaml', 'hello', /word\.yaml must be a mapping/],
    ['twice.yaml', 'port: 1\nport: 2', /Cannot read .*twice\.yaml: .*unique/],
    ['map.json', '{"model":{}}', /model in .*map\.json must be a value or a list of values/],
  ])('an invalid file: %s', async (name, text, problem) => {
    const config = text === null ? pathOf(name) : writeFile(name, text);
    expect((await resolve('demo', { config })).problems).toEqual([expect.stringMatching(problem)]);
  });

  it('an empty file sets nothing', async () => {
    for (const [name, text] of [
      ['empty.yaml', ''],
      ['null.json', 'null'],
    ] as const)
      expect((await resolve('watch', { config: writeFile(name, text) })).problems).toEqual([]);
  });
});
