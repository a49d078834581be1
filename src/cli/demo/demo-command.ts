import type { Command } from 'commander';
import { concat, fromEvent, merge, NEVER, Subject, takeUntil, tap, timer, type SchedulerLike } from 'rxjs';
import { monotonicScheduler } from '../../adapters/clock/monotonic-scheduler.js';
import type { LoadMonitor } from '../../core/pipeline/load-monitor.js';
import type { LoadThresholdUpdate } from '../../core/policy/load-thresholds.js';
import type { Transition } from '../../core/state/fleet-step.js';
import type { WorkerId } from '../../core/worker-id.js';
import { givenPool } from '../../service/pools/pools.js';
import { ServiceError } from '../../service/service-error.js';
import { startService, type Service } from '../../service/start-service.js';
import { simulateFleet } from '../../simulator/simulate-fleet.js';
import { SIMULATED_ENDPOINT } from '../../simulator/simulated-worker.js';
import { stringifyJson } from '../../wire/json/json-value.js';
import { LoadDecoder } from '../../wire/loads/load-decoder.js';
import { helpExamples } from '../command-options.js';
import { busyText } from '../live-report.js';
import { paced } from '../paced.js';
import type { CommandValues } from '../settings/command-settings.js';
import { requireSettings, type Flags, type Plan } from '../settings/resolve-settings.js';
import { chosenRules, thresholdsText, type ChosenRules } from '../settings/rule-settings.js';
import { withSettings } from '../settings/with-settings.js';
import { type Terminal, exitCode } from '../terminal.js';
import { demoMonitor } from './demo-fleet.js';

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
  const { seed, workers, ranks, model, duration, json, port } = settings;
  const { policy, thresholds } = rules;
  const startedAt = scheduler.now();
  const simulatedEvents = simulateFleet({
    seed,
    workers,
    ranks,
    model,
    durationMs: duration * 1000,
    policy,
    startedAt: Date.now(),
  });
  const count = { messages: 0, records: 0, transitions: 0 };
  const decoder = new LoadDecoder(policy);
  let lagMs = 0;
  // The last event comes before the end, but the fleet is watched exactly until the end.
  const end$ = merge(timer(duration * 1000, scheduler), fromEvent(process, 'SIGINT'));
  const simulatedEvents$ = concat(paced(simulatedEvents, scheduler), NEVER).pipe(
    tap((event) => {
      if ('key' in event) count.records += 1;
      else count.messages += 1;
      lagMs = scheduler.now() - startedAt - event.at;
    }),
    takeUntil(end$),
  );
  const seconds = (at: number): number => (at - startedAt) / 1000;
  terminal.err(
    `watching a simulated fleet of ${workers} workers × ${ranks} ranks for ${duration} s, seed ${seed}, policy ${policy.name}; ` +
      `${thresholdsText(thresholds)}; press Ctrl-C to stop`,
  );
  const thresholds$ = new Subject<LoadThresholdUpdate>();
  const monitor = demoMonitor(
    {
      events$: simulatedEvents$,
      decoder,
      policy,
      thresholds,
      thresholds$: thresholds$.pipe(takeUntil(end$)),
    },
    scheduler,
  );
  const service = await demoService(monitor, thresholds$, { model, port }, scheduler, terminal);
  let busy: readonly WorkerId[] = [];
  await new Promise<void>((resolve, reject) => {
    monitor.busy$.subscribe({ next: (set) => (busy = [...set]), error: reject });
    monitor.transitions$.subscribe({
      next: (transition) => {
        count.transitions += 1;
        terminal.out(json ? jsonLine(transition, seconds) : textLine(transition, seconds));
      },
      error: reject,
      complete: resolve,
    });
    monitor.connect();
  });
  await service?.stop();
  const summary = {
    seconds: seconds(scheduler.now()),
    ...count,
    fast: decoder.fast,
    walked: decoder.walked,
    busy,
  };
  terminal.out(json ? stringifyJson({ summary }) : summaryText(summary));
  if (lagMs > TOLERATED_LAG_MS) {
    terminal.err(
      `this machine is ${(lagMs / 1000).toFixed(1)} s behind the simulated fleet; use fewer --workers or --ranks to watch it in real time`,
    );
  }
  return exitCode.ok;
}

/** Serves the demo over HTTP. If that fails, prints the reason and returns `null`: the demo runs without it. */
async function demoService(
  monitor: LoadMonitor,
  thresholds$: Subject<LoadThresholdUpdate>,
  { model, port }: Pick<CommandValues<'demo'>, 'model' | 'port'>,
  scheduler: SchedulerLike,
  terminal: Terminal,
): Promise<Service | null> {
  const pools = givenPool({
    name: { model, endpoint: SIMULATED_ENDPOINT },
    monitor,
    setThresholds: (change) => thresholds$.next(change),
  });
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

function textLine({ at, busy, verdict }: Transition, seconds: (at: number) => number): string {
  return `${seconds(at).toFixed(1).padStart(6)} s  ${busy ? '▲' : '▽'} ${verdict.text}`;
}

function jsonLine({ at, workerId, busy, verdict }: Transition, seconds: (at: number) => number): string {
  const { reason, ranks, text } = verdict;
  return stringifyJson({ seconds: seconds(at), workerId, busy, reason, ranks, text });
}

function summaryText(summary: {
  readonly seconds: number;
  readonly messages: number;
  readonly records: number;
  readonly transitions: number;
  readonly busy: readonly string[];
}): string {
  const { messages, records, transitions, busy } = summary;
  return `after ${summary.seconds.toFixed(1)} s: ${messages} load messages, ${records} discovery records, ${transitions} transitions; ${busyText(busy)}`;
}
