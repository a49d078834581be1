import type { EtcdOptions } from '../../adapters/etcd/etcd-options.js';
import type { NatsOptions } from '../../adapters/nats/nats-options.js';
import type { CommandValues } from '../settings/command-settings.js';
import { etcdOptions, natsOptions } from '../settings/connection-settings.js';
import { chosenFleet, type ChosenFleet } from '../settings/fleet-settings.js';
import { requireSettings, type Environment, type Flags } from '../settings/resolve-settings.js';
import { chosenRules, type ChosenRules } from '../settings/rule-settings.js';

interface FleetParts {
  readonly rules: ChosenRules;
  readonly fleet: ChosenFleet;
}

/** The validated plan of a command that watches a live fleet. */
export interface FleetPlan<Name extends 'watch' | 'record'> extends FleetParts {
  readonly settings: CommandValues<Name>;
}

/** Makes a plan of a command that watches a live fleet. @throws SettingsError with all problems */
export function fleetPlan<Name extends 'watch' | 'record'>(
  command: Name,
  flags: Flags,
  environment: Environment,
): Promise<FleetPlan<Name>> {
  return requireSettings<Name, FleetParts>(command, flags, environment, (settings) => ({
    rules: () => chosenRules(settings),
    fleet: () => chosenFleet(settings),
  }));
}

interface SimulateParts {
  readonly rules: ChosenRules;
  readonly nats: NatsOptions;
  readonly etcd: EtcdOptions;
}

/** The validated plan of `tidemark simulate`. */
export interface SimulatePlan extends SimulateParts {
  readonly settings: CommandValues<'simulate'>;
}

/** Makes the plan of `tidemark simulate`. @throws SettingsError with all problems */
export function simulatePlan(flags: Flags, environment: Environment): Promise<SimulatePlan> {
  return requireSettings('simulate', flags, environment, (settings) => ({
    rules: () => chosenRules(settings),
    nats: () => natsOptions(settings),
    etcd: () => etcdOptions(settings),
  }));
}
