import type { LoadPolicy } from '../../../core/policy/load-policy.js';
import { LoadThresholdConfig } from '../../../core/policy/load-threshold-config.js';
import { pickThresholds } from '../../../core/policy/load-thresholds.js';
import { policyNamed } from '../../../core/policy/policies.js';
import { errorText } from '../../../operators/error-text.js';
import { isLoopback } from '../../../service/http/admin-guard.js';
import { connectionOptionsFromEnv, type ConnectionOptions, type Environment } from '../../fleet-options.js';
import { readInput } from '../../read-input.js';
import { resolveSettings, SettingsError, type Flags, type ResolvedSettings } from './resolve-settings.js';
import { serveSettings, type ServeSettings } from './serve-settings.js';

/** The validated plan of `tidemark serve`. */
export interface ServePlan {
  readonly settings: ServeSettings;
  readonly policy: LoadPolicy;
  readonly thresholds: LoadThresholdConfig;
  readonly adminToken: string | undefined;
  /** How to connect to the fleet; `null` when it is simulated. */
  readonly connection: ConnectionOptions | null;
}

/** The plan, or `null` with the problems that prevent it; and all settings and warnings. */
export interface ServePlanResult {
  readonly resolved: ResolvedSettings['resolved'];
  readonly plan: ServePlan | null;
  readonly problems: readonly string[];
  /** Settings that are valid but may not do what their user wants. */
  readonly warnings: readonly string[];
}

/** Makes a plan from flags, environment, file and defaults, and collects all problems. */
export async function resolveServePlan(flags: Flags, environment: Environment): Promise<ServePlanResult> {
  const { resolved, problems: unresolved } = await resolveSettings(serveSettings, flags, environment);
  const settings = Object.fromEntries(
    resolved.map(({ setting, value }) => [setting.name, value]),
  ) as unknown as ServeSettings;
  const isGiven = (name: keyof ServeSettings): boolean =>
    resolved.some(({ setting, origin }) => setting.name === name && origin !== 'default');
  const problems = [...unresolved];
  const attempt = <T>(make: () => T): T | undefined => {
    try {
      return make();
    } catch (error) {
      problems.push(errorText(error));
      return undefined;
    }
  };

  const { simulate, generation, host } = settings;
  const policy = policyNamed(settings.policy ?? (isGiven('generation') ? `dynamo-${generation}` : 'default'));
  const thresholds = LoadThresholdConfig.defaults(policy).set(pickThresholds(settings));
  if (!simulate) {
    for (const name of ['model', 'workers', 'ranks', 'seed'] as const)
      if (isGiven(name))
        problems.push(`${name} only applies with --simulate: add --simulate, or remove ${name}.`);
  }
  const adminToken = attempt(() => adminTokenOf(settings));
  const connection = simulate ? null : attempt(() => connectionOptionsFromEnv(settings, environment));
  const warnings: string[] = [];
  if (!isLoopback(host) && adminToken === undefined)
    warnings.push(
      `${host} can be reached from other machines and no admin token is set, so thresholds can be read but not changed.`,
    );
  if (!thresholds.isConfigured() && settings.frontend.length === 0)
    warnings.push('No threshold is set, so no worker is busy until POST /busy_threshold sets one.');
  const plan =
    problems.length > 0 ? null : { settings, policy, thresholds, adminToken, connection: connection ?? null };
  return { resolved, plan, problems, warnings };
}

/** Makes a plan. @throws SettingsError with all problems */
export async function requireServePlan(
  flags: Flags,
  environment: Environment,
): Promise<ServePlan & Pick<ServePlanResult, 'warnings'>> {
  const { plan, problems, warnings } = await resolveServePlan(flags, environment);
  if (plan === null) throw new SettingsError(problems);
  return { ...plan, warnings };
}

function adminTokenOf({ adminToken, adminTokenFile }: ServeSettings): string | undefined {
  if (adminToken !== undefined && adminTokenFile !== undefined)
    throw new SettingsError(['adminToken and adminTokenFile are both set: set only one of them.']);
  const token =
    adminTokenFile === undefined ? adminToken : new TextDecoder().decode(readInput(adminTokenFile)).trim();
  if (token !== undefined && !/^[\x21-\x7e]{8,}$/.test(token))
    throw new SettingsError(['The admin token must be at least 8 characters, without spaces.']);
  return token;
}
