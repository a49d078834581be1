import { stringifyJson } from '../../wire/json/json-value.js';
import { type Terminal, exitCode } from '../terminal.js';
import type { Flags, ResolvedSetting } from './settings/resolve-settings.js';
import { resolveServePlan } from './settings/serve-plan.js';

/** Who we are to NATS and etcd; only whether it is set is told. */
const secretVariables = [
  'NATS_AUTH_USERNAME',
  'NATS_AUTH_PASSWORD',
  'NATS_AUTH_TOKEN',
  'NATS_AUTH_NKEY',
  'NATS_AUTH_CREDENTIALS_FILE',
  'NATS_TLS_CA_CERT_PATH',
  'ETCD_AUTH_USERNAME',
  'ETCD_AUTH_PASSWORD',
  'ETCD_AUTH_CA',
  'ETCD_AUTH_CLIENT_CERT',
  'ETCD_AUTH_CLIENT_KEY',
];
const HIDDEN = '(set, not shown)';

/**
 * `tidemark check`: what `tidemark serve` would do with the same flags, environment and file: every setting, what
 * counts, and where it was said. Exit code 2 and all problems when it would not start.
 */
export async function checkCommand(
  flags: Flags,
  terminal: Terminal,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<number> {
  const { resolved, plan, problems, warnings } = await resolveServePlan(flags, environment);
  const rows = [
    ...resolved.map((one) => ({ name: one.setting.name, value: shownValue(one), from: one.origin })),
    ...(plan === null ||
    resolved.some(({ setting, value }) => setting.name === 'policy' && value !== undefined)
      ? []
      : [{ name: 'policy in force', value: plan.policy.name, from: 'generation' }]),
    ...secretVariables
      .filter((name) => (environment[name] ?? '') !== '')
      .map((name) => ({ name, value: HIDDEN, from: `environment ${name}` })),
  ];
  if (flags['json'] === true) {
    terminal.out(stringifyJson({ settings: rows, warnings, problems }));
  } else {
    const width = (key: 'name' | 'value'): number =>
      Math.min(40, Math.max(...rows.map((row) => row[key].length)));
    for (const { name, value, from } of rows)
      terminal.out(`${name.padEnd(width('name'))}  ${value.padEnd(width('value'))}  ${from}`);
    for (const warning of warnings) terminal.err(`warning: ${warning}`);
    for (const problem of problems) terminal.err(`problem: ${problem}`);
  }
  return problems.length === 0 ? exitCode.ok : exitCode.usage;
}

function shownValue({ setting, value }: ResolvedSetting): string {
  if (value === undefined) return '(not set)';
  if (setting.isSecret === true) return HIDDEN;
  // A password in a URL is nobody's business either.
  const text = [value as string | number | readonly string[]].flat().join(', ');
  return text === '' ? '(none)' : text.replace(/(\/\/)[^/@\s,]*@/g, '$1***@');
}
