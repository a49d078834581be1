import { TidemarkError } from '../../../core/errors.js';
import { errorText } from '../../../operators/error-text.js';
import type { Environment } from '../../fleet-options.js';
import { readConfigFile } from './config-file.js';
import type { Setting } from './setting.js';

/** Invalid settings. `problems` lists everything that is wrong. */
export class SettingsError extends TidemarkError {
  override readonly name = 'SettingsError';

  constructor(readonly problems: readonly string[]) {
    super(
      'settings',
      problems.length === 1 ? String(problems[0]) : problems.map((problem) => `\n  - ${problem}`).join(''),
    );
  }
}

/** A setting with its effective value and the origin of the value. */
export interface ResolvedSetting {
  readonly setting: Setting;
  readonly value: unknown;
  /** `flag --port`, `environment TIDEMARK_PORT`, `file tidemark.yaml` or `default`. */
  readonly origin: string;
}

/** The settings that result from flags, environment, file and defaults. */
export interface ResolvedSettings {
  readonly resolved: readonly ResolvedSetting[];
  readonly problems: readonly string[];
}

/** Flags as commander parses them, by the name of the setting. */
export type Flags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

const CONFIG_ENV = 'TIDEMARK_CONFIG';

/**
 * Resolves settings: a flag takes precedence over the environment, then the file, then the default. An empty variable
 * counts as absent. All invalid values are reported together, and each counts as absent.
 */
export async function resolveSettings(
  settings: readonly Setting[],
  flags: Flags,
  environment: Environment,
): Promise<ResolvedSettings> {
  const configFlag = typeof flags['config'] === 'string' ? flags['config'] : undefined;
  const path = configFlag ?? (environment[CONFIG_ENV] === '' ? undefined : environment[CONFIG_ENV]);
  const file =
    path === undefined
      ? { values: new Map<string, readonly string[]>(), problems: [] }
      : await readConfigFile(path);
  const problems: string[] = [...file.problems];
  const names = settings.map(({ name }) => name);
  for (const name of file.values.keys()) {
    if (!names.includes(name))
      problems.push(`${name} in ${path} is not a setting; the settings are ${names.join(', ')}.`);
  }
  const resolved = settings.map((setting): ResolvedSetting => {
    const { name, env, flag } = setting;
    const candidates: readonly (readonly [origin: string, texts: readonly string[] | undefined])[] = [
      [`flag ${flag.split(' ')[0]}`, textsOf(flags[name])],
      [`environment ${env}`, textsOf(environment[env] === '' ? undefined : environment[env])],
      [`file ${path}`, file.values.get(name)],
    ];
    // Overridden values are read too, so that all invalid ones are reported.
    let winner: ResolvedSetting | undefined;
    for (const [origin, texts] of candidates) {
      if (texts === undefined) continue;
      try {
        const value = setting.read(texts);
        winner ??= { setting, value, origin };
      } catch (error) {
        problems.push(`${name} ${errorText(error)} (${origin}).`);
      }
    }
    return winner ?? { setting, value: setting.defaultValue, origin: 'default' };
  });
  return { resolved, problems };
}

function textsOf(value: Flags[string]): readonly string[] | undefined {
  if (value === undefined || typeof value === 'string') return value === undefined ? undefined : [value];
  return typeof value === 'boolean' ? [String(value)] : value;
}
