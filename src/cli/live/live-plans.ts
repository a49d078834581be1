import type { EtcdOptions } from '../../adapters/etcd/etcd-options.js';
import type { NatsOptions } from '../../adapters/nats/nats-options.js';
import { etcdOptions, natsOptions } from '../settings/connection-settings.js';
import { chosenFleet, type ChosenFleet } from '../settings/fleet-settings.js';
import { requireSettings, type Environment, type Flags, type Plan } from '../settings/resolve-settings.js';
import { chosenRules, type ChosenRules } from '../settings/rule-settings.js';

/** The validated plan of a command that watches a live fleet. */
export type FleetPlan<Name extends 'watch' | 'record'> = Plan<
  Name,
  { rules: ChosenRules; fleet: ChosenFleet }
>;

/** Makes a plan of a command that watches a live fleet. @throws SettingsError with all problems */
export const fleetPlan = <Name extends 'watch' | 'record'>(
  command: Name,
  flags: Flags,
  environment: Environment,
): Promise<FleetPlan<Name>> =>
  requireSettings(command, flags, environment, (settings) => ({
    rules: () => chosenRules(settings),
    fleet: () => chosenFleet(settings),
  }));

/** The validated plan of `tidemark simulate`. */
export type SimulatePlan = Plan<'simulate', { rules: ChosenRules; nats: NatsOptions; etcd: EtcdOptions }>;

/** Makes the plan of `tidemark simulate`. @throws SettingsError with all problems */
export const simulatePlan = (flags: Flags, environment: Environment): Promise<SimulatePlan> =>
  requireSettings('simulate', flags, environment, (settings) => ({
    rules: () => chosenRules(settings),
    nats: () => natsOptions(settings),
    etcd: () => etcdOptions(settings),
  }));
