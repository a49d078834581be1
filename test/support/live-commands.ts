import { fleetPlan, simulatePlan } from '../../src/cli/live/live-plans.js';
import { recordCommand } from '../../src/cli/live/record-command.js';
import { simulateCommand } from '../../src/cli/live/simulate-command.js';
import { watchCommand } from '../../src/cli/live/watch-command.js';
import type { Flags } from '../../src/cli/settings/resolve-settings.js';
import { RunningCommand } from './run-command.js';

/** Flags of a command, as in `--seed 3` and `--json`. */
export type GivenFlags = Readonly<Record<string, string | number | true>>;

const asFlags = (flags: GivenFlags): Flags =>
  Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [name, typeof value === 'number' ? String(value) : value]),
  );

/** Starts `tidemark watch` in this process, with these flags and no environment. */
export const startWatch = (flags: GivenFlags): RunningCommand =>
  new RunningCommand(async (terminal, end$) =>
    watchCommand(await fleetPlan('watch', asFlags(flags), {}), terminal, end$),
  );

/** Starts `tidemark record` in this process, with these flags and no environment. */
export const startRecord = (file: string, flags: GivenFlags): RunningCommand =>
  new RunningCommand(async (terminal, end$) =>
    recordCommand(file, await fleetPlan('record', asFlags(flags), {}), terminal, end$),
  );

/** Starts `tidemark simulate` in this process, with these flags and no environment. */
export const startSimulate = (flags: GivenFlags): RunningCommand =>
  new RunningCommand(async (terminal, end$) =>
    simulateCommand(await simulatePlan(asFlags(flags), {}), terminal, end$),
  );
