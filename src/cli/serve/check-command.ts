import { stringifyJson } from '../../wire/json/json-value.js';
import type { Environment, Flags, ResolvedSetting } from '../settings/resolve-settings.js';
import { type Terminal, exitCode } from '../terminal.js';
import { resolveServePlan } from './serve-plan.js';

const HIDDEN = '(set, not shown)';

/**
 * `tidemark check`: prints every setting of `tidemark serve` with its value and where the value comes from. The exit code
 * is 2, with all problems, if `tidemark serve` would not start with the same flags, environment and file.
 */
export async function checkCommand(
  flags: Flags,
  terminal: Terminal,
  environment: Environment = process.env,
): Promise<number> {
  const { resolved, settings, parts, problems, warnings } = await resolveServePlan(flags, environment);
  const rows = resolved.map((entry) => ({
    name: entry.name,
    value: shownValue(entry),
    from: entry.originText,
  }));
  const { name: policy = settings.policy } = parts.rules?.policy ?? {};
  if (policy !== settings.policy) rows.push({ name: 'policy in force', value: policy, from: 'generation' });
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
  return problems.length === 0 ? exitCode.ok : exitCode.cannotRun;
}

function shownValue({ setting, value }: ResolvedSetting): string {
  if (value === undefined) return '(not set)';
  if (setting.isSecret === true) return HIDDEN;
  // A URL may contain a password.
  const text = [value as string | number | readonly string[]].flat().join(', ');
  return text === '' ? '(none)' : text.replace(/(\/\/)[^/@\s,]*@/g, '$1***@');
}
