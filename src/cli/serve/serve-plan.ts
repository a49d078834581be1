import type { LoadThresholds } from '../../core/policy/load-thresholds.js';
import { isLoopback } from '../../service/http/admin-guard.js';
import { readInput } from '../read-input.js';
import type { CommandValues } from '../settings/command-settings.js';
import { chosenFleet, type ChosenFleet } from '../settings/fleet-settings.js';
import {
  resolveSettings,
  type Environment,
  type Flags,
  type Plan,
  type Resolution,
} from '../settings/resolve-settings.js';
import { chosenRules, type ChosenRules } from '../settings/rule-settings.js';
import { SettingsError } from '../settings/setting.js';
import { simulationSettings } from '../settings/simulation-settings.js';
import { CliError } from '../terminal.js';

/** What `tidemark serve` needs besides its settings. */
interface ServeParts {
  readonly rules: ChosenRules;
  readonly adminToken: string | undefined;
  /** `null` when the fleet is simulated. */
  readonly fleet: ChosenFleet | null;
}

/** The validated plan of `tidemark serve`. */
export type ServePlan = Plan<'serve', ServeParts> & {
  /** Settings that are valid but may not do what their user wants. */
  readonly warnings: readonly string[];
  /** Where each threshold comes from. */
  readonly thresholdSources: Readonly<Record<keyof LoadThresholds, string>>;
};

/** The settings, the parts of the plan, all problems that prevent it, and warnings. */
export async function resolveServePlan(
  flags: Flags,
  environment: Environment,
): Promise<Resolution<'serve', ServeParts> & Pick<ServePlan, 'warnings' | 'thresholdSources'>> {
  const resolution = await resolveSettings('serve', flags, environment, (settings, originOf) => ({
    rules: () =>
      originOf('policy') === 'default' && originOf('generation') !== 'default'
        ? chosenRules({ ...settings, policy: `dynamo-${settings.generation}` })
        : chosenRules(settings),
    adminToken: () => adminTokenOf(settings),
    fleet: () => (settings.simulate ? null : chosenFleet(settings)),
  }));
  const { settings, parts, resolved } = resolution;
  const problems = [...resolution.problems];
  // In the environment and in the file, they may be meant for another command.
  for (const { name, origin } of resolved)
    if (!settings.simulate && origin === 'flag' && name in simulationSettings)
      problems.push(`${name} only applies with --simulate: add --simulate, or remove ${name}.`);
  const warnings: string[] = [];
  if (!isLoopback(settings.host) && parts.adminToken === undefined)
    warnings.push(
      `${settings.host} can be reached from other machines and no admin token is set, so thresholds can be read but not changed.`,
    );
  if (parts.rules?.thresholds.isConfigured() === false && settings.frontend.length === 0)
    warnings.push(
      settings.state === undefined
        ? 'No threshold is set, so no worker is busy until PATCH /thresholds or POST /busy_threshold sets one.'
        : `No threshold is set except those in ${settings.state}.`,
    );
  const sourceOf = (name: keyof LoadThresholds): string => {
    const { origin = 'default', originText = '' } = resolved.find((entry) => entry.name === name) ?? {};
    return origin === 'default' ? `policy ${parts.rules?.policy.name ?? settings.policy}` : originText;
  };
  const thresholdSources = {
    activeDecodeBlocksThreshold: sourceOf('activeDecodeBlocksThreshold'),
    activePrefillTokensThreshold: sourceOf('activePrefillTokensThreshold'),
    activePrefillTokensThresholdFrac: sourceOf('activePrefillTokensThresholdFrac'),
  };
  return { ...resolution, problems, warnings, thresholdSources };
}

/** Makes a plan. @throws SettingsError with all problems */
export async function requireServePlan(flags: Flags, environment: Environment): Promise<ServePlan> {
  const { settings, parts, problems, warnings, thresholdSources } = await resolveServePlan(
    flags,
    environment,
  );
  if (problems.length > 0) throw new SettingsError(problems);
  return { settings, ...(parts as ServeParts), warnings, thresholdSources };
}

function adminTokenOf({ adminToken, adminTokenFile }: CommandValues<'serve'>): string | undefined {
  if (adminToken !== undefined && adminTokenFile !== undefined)
    throw new CliError('adminToken and adminTokenFile are both set: set only one of them.');
  const token =
    adminTokenFile === undefined ? adminToken : new TextDecoder().decode(readInput(adminTokenFile)).trim();
  if (token !== undefined && !/^[\x21-\x7e]{8,}$/.test(token))
    throw new CliError('The admin token must be at least 8 characters, without spaces.');
  return token;
}
