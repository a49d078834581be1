import type { Command } from 'commander';
import { commandSettings, type CommandName } from './command-settings.js';
import type { Settings } from './setting.js';

const settingsHelp = `
A flag takes precedence over the environment, then the file, then the default. The file contains settings under the
names that docs/settings.md lists, in YAML, or in JSON if its name ends with .json. It may contain those of other
commands. All problems are reported together.`;

/** Adds the settings of a command as options. */
export function withSettings(command: Command, name: CommandName): Command {
  const settings = Object.entries<Settings[string]>(commandSettings[name]);
  command.option('--config <file>', 'file with settings, in YAML or JSON (env: TIDEMARK_CONFIG)');
  for (const [, { flag, text, env, fallbackEnv, defaultValue }] of settings) {
    const shown = defaultText(defaultValue);
    const isShown = shown !== '' && defaultValue !== false;
    if (flag !== undefined)
      command.option(
        flag,
        `${text} (env: ${[env, fallbackEnv ?? []].flat().join(', else ')}${isShown ? `, default: ${shown}` : ''})`,
      );
  }
  const credentials = settings.flatMap(([, { flag, env }]) => (flag === undefined ? [env] : []));
  return command.addHelpText('after', settingsHelp + credentialsHelp(credentials));
}

/** A default value in words; empty if there is none. */
export function defaultText(value: unknown): string {
  return [(value ?? []) as string | number | boolean | readonly string[]].flat().join(', ');
}

function credentialsHelp(variables: readonly string[]): string {
  if (variables.length === 0) return '';
  const lines = ['NATS', 'ETCD'].map((system) =>
    variables.filter((name) => name.startsWith(system)).join(', '),
  );
  return `

Credentials have no flags, so that no password appears on a command line. They are set by Dynamo's own variables, or in
the file:
${lines
  .filter((line) => line !== '')
  .map((line) => `  ${line}`)
  .join('\n')}`;
}
