import type { LoadPolicy } from '../../../core/policy/load-policy.js';
import { LoadThresholdConfig } from '../../../core/policy/load-threshold-config.js';
import { policyNamed } from '../../../core/policy/policies.js';
import { errorText } from '../../../operators/error-text.js';
import { isLoopback } from '../../../service/http/admin-guard.js';
import { connectionOptionsFromEnv, type ConnectionOptions } from '../../fleet-options.js';
import { readInput } from '../../read-input.js';
import { resolveSettings, SettingsError, type Flags, type ResolvedSettings } from './resolve-settings.js';
import { serveSettings, type ServeSettings } from './serve-settings.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** What `tidemark serve` is to do, all of it checked. */
export interface ServePlan {
  readonly settings: ServeSettings;
  readonly policy: LoadPolicy;
  readonly thresholds: LoadThresholdConfig;
  readonly adminToken: string | undefined;
  /** How to reach the fleet; `null` when it is simulated. */
  readonly connection: ConnectionOptions | null;
}

/** A plan, or what is wrong with it; and what one may want to know of it in any case. */
export interface ServePlanResult {
  readonly resolved: ResolvedSettings['resolved'];
  readonly plan: ServePlan | null;
  readonly problems: readonly string[];
  /** What is allowed and may not be meant. */
  readonly warnings: readonly string[];
}

/** Puts a plan together from flags, environment, file and defaults, and finds everything that is wrong at once. */
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
  const { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac } =
    settings;
  const thresholds = LoadThresholdConfig.defaults(policy).update({
    activeDecodeBlocksThreshold,
    activePrefillTokensThreshold,
    activePrefillTokensThresholdFrac,
  });
  if (!simulate) {
    for (const name of ['model', 'workers', 'ranks', 'seed'] as const)
      if (isGiven(name))
        problems.push(`${name} is of the simulated fleet: say simulate too, or leave it out.`);
  }
  const adminToken = attempt(() => adminTokenOf(settings));
  const connection = simulate ? null : attempt(() => connectionOptionsFromEnv(settings, environment));
  const warnings: string[] = [];
  if (!isLoopback(host) && adminToken === undefined)
    warnings.push(
      `${host} is reached from other machines and there is no admin token: marks can be read, not set.`,
    );
  if (!thresholds.isConfigured() && settings.frontend.length === 0)
    warnings.push('Marks are off, so no worker is busy until POST /busy_threshold sets one.');
  const plan =
    problems.length > 0 ? null : { settings, policy, thresholds, adminToken, connection: connection ?? null };
  return { resolved, plan, problems, warnings };
}

/** The plan. @throws SettingsError with all problems */
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
    throw new Error('adminToken and adminTokenFile are two tokens: say one.');
  const token =
    adminTokenFile === undefined ? adminToken : new TextDecoder().decode(readInput(adminTokenFile)).trim();
  if (token !== undefined && !/^[\x21-\x7e]{8,}$/.test(token))
    throw new Error('The admin token must be at least 8 characters, without spaces.');
  return token;
}
