import { Option } from 'commander';
import { errorText } from '../../operators/error-text.js';
import { commandSettings, settingNames, type CommandName, type CommandValues } from './command-settings.js';
import { readConfigFile, type ConfigFile } from './config-file.js';
import { makeEach, SettingsError, type Setting, type Settings } from './setting.js';

/** Where a value comes from. */
type Origin = 'flag' | 'environment' | 'file' | 'default';

/** A setting with its effective value and the origin of the value. */
export interface ResolvedSetting {
  readonly name: string;
  readonly setting: Setting;
  readonly value: unknown;
  readonly origin: Origin;
  /** The origin in words: `flag --port`, `environment TIDEMARK_PORT`, `file tidemark.yaml` or `default`. */
  readonly originText: string;
}

/** Flags as commander parses them. */
export type Flags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How to make the parts of a plan from the effective settings of a command. */
type PartsOf<Name extends CommandName, Parts> = (
  settings: CommandValues<Name>,
  originOf: (name: keyof CommandValues<Name>) => Origin,
) => { readonly [Key in keyof Parts]: () => Parts[Key] };

/** The effective settings of a command, and the parts that are made from them. */
export type Plan<Name extends CommandName, Parts> = Readonly<Parts> & {
  readonly settings: CommandValues<Name>;
};

/** The effective settings of a command and what is made from them, or the problems that prevent it. */
export interface Resolution<Name extends CommandName, Parts> {
  readonly resolved: readonly ResolvedSetting[];
  readonly settings: CommandValues<Name>;
  /** A part is absent if it cannot be made. */
  readonly parts: Partial<Parts>;
  readonly problems: readonly string[];
}

const CONFIG_ENV = 'TIDEMARK_CONFIG';

/**
 * Resolves the settings of a command, and makes the parts of its plan from them.
 *
 * 1. A flag takes precedence over the environment, then the file, then the default. For thresholds, the file takes
 *    precedence over the environment. An empty variable counts as absent.
 * 2. The file may contain settings of other commands. They are ignored.
 * 3. All invalid values and all parts that cannot be made are reported together. An invalid value counts as absent.
 */
export async function resolveSettings<Name extends CommandName, Parts extends object>(
  command: Name,
  flags: Flags,
  environment: Environment,
  partsOf: PartsOf<Name, Parts>,
): Promise<Resolution<Name, Parts>> {
  const [path] = textsOf(flags['config'] ?? (environment[CONFIG_ENV] || undefined)) ?? [];
  const file: ConfigFile =
    path === undefined ? { values: new Map(), problems: [] } : await readConfigFile(path);
  const problems = [...file.problems];
  for (const name of file.values.keys()) {
    if (!settingNames.includes(name))
      problems.push(`${name} in ${path} is not a setting; the settings are ${settingNames.join(', ')}.`);
  }
  const table: Settings = commandSettings[command];
  const resolved = Object.entries(table).map(([name, setting]): ResolvedSetting => {
    const { flag, read, defaultValue } = setting;
    const env = environment[setting.env] ? setting.env : (setting.fallbackEnv ?? setting.env);
    const candidates: (readonly [Origin, text: string, texts: readonly string[] | undefined])[] = [
      ['flag', `flag ${flag?.split(' ')[0]}`, flag === undefined ? undefined : textsOf(flags[keyOf(flag)])],
      ['environment', `environment ${env}`, textsOf(environment[env] || undefined)],
      ['file', `file ${path}`, file.values.get(name)],
    ];
    if (setting.isFileFirst === true) candidates.push(...candidates.splice(1, 1));
    // Overridden values are read too, so that all invalid ones are reported.
    let winner: ResolvedSetting | undefined;
    for (const [origin, originText, texts] of candidates) {
      if (texts === undefined) continue;
      try {
        const value = read(texts);
        winner ??= { name, setting, value, origin, originText };
      } catch (error) {
        problems.push(`${name} ${errorText(error)} (${originText}).`);
      }
    }
    return winner ?? { name, setting, value: defaultValue, origin: 'default', originText: 'default' };
  });

  const settings = Object.fromEntries(
    resolved.map(({ name, value }) => [name, value]),
  ) as CommandValues<Name>;
  const originOf = (name: keyof CommandValues<Name>): Origin =>
    resolved.find((entry) => entry.name === name)?.origin ?? 'default';
  const { made: parts, problems: partProblems } = makeEach<Parts>(partsOf(settings, originOf));
  return { resolved, settings, parts, problems: [...problems, ...partProblems] };
}

/** The settings of a command and the parts of its plan. @throws SettingsError with all problems */
export async function requireSettings<Name extends CommandName, Parts extends object>(
  command: Name,
  flags: Flags,
  environment: Environment,
  partsOf: PartsOf<Name, Parts>,
): Promise<Plan<Name, Parts>> {
  const { settings, parts, problems } = await resolveSettings(command, flags, environment, partsOf);
  if (problems.length > 0) throw new SettingsError(problems);
  return { settings, ...(parts as Parts) };
}

/** The name under which commander keeps the value of a flag. */
function keyOf(flag: string): string {
  return new Option(flag).attributeName();
}

function textsOf(value: Flags[string]): readonly string[] | undefined {
  if (value === undefined || typeof value === 'object') return value;
  return [String(value)];
}
