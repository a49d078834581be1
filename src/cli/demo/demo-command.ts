import type { Command } from 'commander';
import { type Observable, type SchedulerLike, Subscription, firstValueFrom, tap } from 'rxjs';
import { monotonicScheduler } from '../../adapters/clock/monotonic-scheduler.js';
import { plural } from '../../core/number-text.js';
import type { Transition } from '../../core/state/fleet-step.js';
import { dynamoFleet } from '../../fleet/dynamo-fleet.js';
import { FleetPools, type PoolRules } from '../../fleet/pools/fleet-pools.js';
import { simulatedSources } from '../../fleet/simulated-sources.js';
import { ServiceError } from '../../service/service-error.js';
import { startService, type Service } from '../../service/start-service.js';
import { simulateFleet } from '../../simulator/simulate-fleet.js';
import type { SimulatedEvent } from '../../simulator/encode-changes.js';
import { stringifyJson } from '../../wire/json/json-value.js';
import { helpExamples } from '../command-options.js';
import type { PoolLabel } from '../../service/queries/pool-summary.js';
import { PoolReport } from '../live/pool-report.js';
import { isNews, transitionText } from '../live-report.js';
import { paced } from '../../fleet/live-simulator/paced.js';
import { requireSettings, type Flags, type Plan } from '../settings/resolve-settings.js';
import { chosenRules, thresholdsText, type ChosenRules } from '../settings/rule-settings.js';
import { simulatedWorkersText } from '../settings/simulation-settings.js';
import { withSettings } from '../settings/with-settings.js';
import { type Terminal, exitCode, untilSignal } from '../terminal.js';

const TOLERATED_LAG_MS = 500;
const demoThresholds = { activeDecodeBlocksThreshold: 0.85, activePrefillTokensThresholdFrac: 1.5 };

/** Adds `tidemark demo`. */
export function addDemoCommand(root: Command, terminal: Terminal, finish: (code: number) => void): void {
  withSettings(root.command('demo'), 'demo')
    .description(
      'watch a simulated fleet: print a line, with the reason, for each worker that becomes busy or free; also serve it over HTTP',
    )
    .addHelpText(
      'after',
      '\nThe policy also decides which release’s bytes are simulated. If no threshold is set, not even to None, the demo uses\n' +
        `its own: ${thresholdsText({ activePrefillTokensThreshold: null, ...demoThresholds }).replace(/^.*?: /, '')}.\n` +
        helpExamples('demo', 'demo --seed 7 --workers 20 --ranks 8', 'demo --policy dynamo-1.0 --json'),
    )
    .action(async (flags: Flags) => {
      const plan = await requireSettings('demo', flags, process.env, (settings) => ({
        rules: () => chosenRules(settings, demoThresholds),
      }));
      finish(await demoCommand(plan, terminal));
    });
}

/**
 * `tidemark demo`: watches a simulated fleet, prints one line for each worker that becomes busy or free, and prints a
 * summary at the end or on Ctrl-C.
 */
async function demoCommand(
  { settings, rules }: Plan<'demo', { rules: ChosenRules }>,
  terminal: Terminal,
  scheduler: SchedulerLike = monotonicScheduler,
): Promise<number> {
  const { seed, workers, prefillWorkers, ranks, model, duration, json, port } = settings;
  const { policy, thresholds } = rules;
  const startedAt = scheduler.now();
  // From the first line on, a signal ends the demo in good order.
  const ended = firstValueFrom(untilSignal(duration, scheduler));
  const simulatedEvents = simulateFleet({
    seed,
    workers,
    prefillWorkers,
    ranks,
    model,
    durationMs: duration * 1000,
    policy,
    startedAt: Date.now(),
  });
  const count = { messages: 0, records: 0 };
  let lagMs = 0;
  const simulatedEvents$ = paced(simulatedEvents, scheduler).pipe(
    tap((event) => {
      if ('key' in event) count.records += 1;
      else count.messages += 1;
      lagMs = scheduler.now() - startedAt - event.at;
    }),
  );
  const seconds = (at: number): number => (at - startedAt) / 1000;
  terminal.err(
    `watching a simulated fleet of ${simulatedWorkersText(settings)} × ${plural(ranks, 'rank')} for ${duration} s, seed ${seed}, policy ${policy.name}; ` +
      `${thresholdsText(thresholds)}; press Ctrl-C to stop`,
  );
  const pools = simulatedPools(simulatedEvents$, { policy, thresholds, scheduler });
  const report = new PoolReport(pools, {
    transition: (pool, transition) => {
      if (json) terminal.out(jsonLine(pool, transition, seconds));
      else if (isNews(transition)) terminal.out(textLine(pool, transition, seconds));
    },
    problem: ({ text }) => terminal.err(text),
  });
  const running = new Subscription();
  running.add(report.run().subscribe());
  const service = await demoService(pools, port, scheduler, terminal);
  if (service === null) running.add(pools.run());
  await ended;
  const { transitions, busy, text } = report;
  running.unsubscribe();
  await service?.stop();
  const summary = { seconds: seconds(scheduler.now()), ...count, transitions, busy };
  terminal.out(json ? stringifyJson({ summary }) : summaryText(summary, text));
  if (lagMs > TOLERATED_LAG_MS) {
    terminal.err(
      `this machine is ${(lagMs / 1000).toFixed(1)} s behind the simulated fleet; use fewer --workers or --ranks to watch it in real time`,
    );
  }
  return exitCode.ok;
}

/** The pools of a simulated fleet, which has no servers. */
export function simulatedPools(events$: Observable<SimulatedEvent>, rules: PoolRules): FleetPools {
  const { scheduler } = rules;
  return new FleetPools(dynamoFleet({ ...simulatedSources(events$), scheduler }), rules);
}

/** Serves the demo over HTTP. If that fails, prints the reason and returns `null`: the demo runs without it. */
async function demoService(
  pools: FleetPools,
  port: number,
  scheduler: SchedulerLike,
  terminal: Terminal,
): Promise<Service | null> {
  try {
    const service = await startService({ pools, port, scheduler });
    terminal.err(`serving the demo on ${service.url} (/busy, /workers, /events, /metrics, /busy_threshold)`);
    return service;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    terminal.err(`the demo is not served over HTTP: ${error.message}`);
    return null;
  }
}

type Seconds = (at: number) => number;

function textLine(pool: PoolLabel, transition: Transition, seconds: Seconds): string {
  return `${seconds(transition.at).toFixed(1).padStart(6)} s  ${transitionText(pool, transition)}`;
}

function jsonLine({ role }: PoolLabel, transition: Transition, seconds: Seconds): string {
  const { at, workerId, from, to, busy, verdict } = transition;
  const { reason, ranks, text } = verdict;
  return stringifyJson({ seconds: seconds(at), role, workerId, from, to, busy, reason, ranks, text });
}

function summaryText(
  summary: {
    readonly seconds: number;
    readonly messages: number;
    readonly records: number;
    readonly transitions: number;
  },
  busyWorkers: string,
): string {
  const { seconds, messages, records, transitions } = summary;
  return `after ${seconds.toFixed(1)} s: ${messages} load messages, ${records} discovery records, ${transitions} transitions; ${busyWorkers}`;
}
