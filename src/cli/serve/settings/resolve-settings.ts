import { TidemarkError } from '../../../core/errors.js';
import { errorText } from '../../../operators/error-text.js';
import { readConfigFile } from './config-file.js';
import type { Setting } from './setting.js';

/** Settings that cannot be followed; `problems` has all of them. */
export class SettingsError extends TidemarkError {
  override readonly name = 'SettingsError';

  constructor(readonly problems: readonly string[]) {
    super(
      'settings',
      problems.length === 1 ? String(problems[0]) : problems.map((one) => `\n  - ${one}`).join(''),
    );
  }
}

/** One setting with what counts, and where it was said. */
export interface ResolvedSetting {
  readonly setting: Setting;
  readonly value: unknown;
  /** `flag --port`, `environment TIDEMARK_PORT`, `file tidemark.yaml` or `default`. */
  readonly origin: string;
}

/** What flags, environment, file and defaults come to. */
export interface ResolvedSettings {
  readonly resolved: readonly ResolvedSetting[];
  readonly problems: readonly string[];
}

/** Flags as commander gives them, by the name of the setting. */
export type Flags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
type Environment = Readonly<Record<string, string | undefined>>;

const CONFIG_ENV = 'TIDEMARK_CONFIG';

/**
 * Puts together what was said where: a flag wins over the environment, that over the file, that over the default. A
 * variable that is empty is none. Everything that is wrong is told at once; what is wrong counts as not said.
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
      problems.push(`${name} in ${path} is no setting; settings are ${names.join(', ')}.`);
  }
  const resolved = settings.map((setting): ResolvedSetting => {
    const { name, env, flag } = setting;
    const candidates: readonly (readonly [origin: string, texts: readonly string[] | undefined])[] = [
      [`flag ${flag.split(' ')[0]}`, textsOf(flags[name])],
      [`environment ${env}`, textsOf(environment[env] === '' ? undefined : environment[env])],
      [`file ${path}`, file.values.get(name)],
    ];
    // Also what another one wins over is read, so that all that is wrong is told.
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
