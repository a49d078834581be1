import {
  asyncScheduler,
  fromEvent,
  ignoreElements,
  merge,
  takeUntil,
  tap,
  timer,
  type SchedulerLike,
} from 'rxjs';
import { policyNamed } from '../core/policy-named.js';
import type { LoadThresholds } from '../core/load-thresholds.js';
import type { Transition } from '../core/transition.js';
import { simulateFleet } from '../simulator/simulate-fleet.js';
import type { ModelState } from '../testing/model-state.js';
import { LoadDecoder } from '../wire/load-decoder.js';
import { demoSteps } from './demo-fleet.js';
import { exitCode } from './exit-code.js';
import { jsonText } from './json-text.js';
import { marksOf, type MarkOptions } from './mark-options.js';
import { paced } from './paced.js';
import type { Terminal } from './terminal.js';

/** The options of `tidemark demo`. */
export interface DemoOptions extends MarkOptions {
  readonly seed: number;
  readonly workers: number;
  readonly ranks: number;
  /** Seconds. */
  readonly duration: number;
  readonly policy: string;
  readonly json?: boolean;
}

const demoMarks = { activeDecodeBlocksThreshold: 0.85, activePrefillTokensThresholdFrac: 1.5 };

/**
 * `tidemark demo`: watches a simulated fleet, one line for each worker that becomes busy or free, and a summary
 * at the end or at Ctrl-C.
 */
export async function demoCommand(
  options: DemoOptions,
  terminal: Terminal,
  scheduler: SchedulerLike = asyncScheduler,
): Promise<number> {
  const { seed, workers, ranks, duration, json } = options;
  const policy = policyNamed(options.policy);
  const marks = marksOf(options, policy, demoMarks);
  const began = scheduler.now();
  const facts = simulateFleet({
    seed,
    workers,
    ranks,
    durationMs: duration * 1000,
    policy,
    startedAt: Date.now(),
  });
  const count = { messages: 0, records: 0, transitions: 0 };
  const decoder = new LoadDecoder(policy);
  // The last fact comes before the end; the fleet is watched to the end all the same.
  const end$ = timer(duration * 1000, scheduler).pipe(ignoreElements());
  const facts$ = merge(paced(facts, scheduler), end$).pipe(
    tap((fact) => ('key' in fact ? (count.records += 1) : (count.messages += 1))),
    takeUntil(fromEvent(process, 'SIGINT')),
  );
  const seconds = (at: number): number => (at - began) / 1000;
  let last: ModelState | undefined;
  terminal.err(
    `a simulated fleet of ${workers} workers × ${ranks} ranks for ${duration} s, seed ${seed}, policy ${policy.name}; ` +
      `${marksText(marks)}; Ctrl-C ends it`,
  );
  await new Promise<void>((resolve, reject) => {
    demoSteps({ facts$, decoder, policy, marks }, scheduler).subscribe({
      next: ({ state, transitions }) => {
        last = state;
        count.transitions += transitions.length;
        for (const one of transitions)
          terminal.out(json === true ? jsonLine(one, seconds) : textLine(one, seconds));
      },
      error: reject,
      complete: resolve,
    });
  });
  const busy = [...(last?.busy.keys() ?? [])];
  const summary = {
    seconds: seconds(scheduler.now()),
    ...count,
    fast: decoder.fast,
    walked: decoder.walked,
    busy,
  };
  terminal.out(json === true ? jsonText({ summary }) : summaryText(summary));
  return exitCode.ok;
}

function marksText(marks: LoadThresholds): string {
  const parts = [
    [marks.activeDecodeBlocksThreshold, ' of the KV blocks'],
    [marks.activePrefillTokensThreshold, ' prefill tokens'],
    [marks.activePrefillTokensThresholdFrac, ' × the batch limit in prefill tokens'],
  ] as const;
  const set = parts.filter(([mark]) => mark !== null).map(([mark, of]) => `${mark}${of}`);
  return set.length === 0 ? 'marks are off' : `marks: ${set.join(', ')}`;
}

function textLine({ at, busy, verdict }: Transition, seconds: (at: number) => number): string {
  return `${seconds(at).toFixed(1).padStart(6)} s  ${busy ? '▲' : '▽'} ${verdict.text}`;
}

function jsonLine({ at, workerId, busy, verdict }: Transition, seconds: (at: number) => number): string {
  const { reason, ranks, text } = verdict;
  return jsonText({ seconds: seconds(at), workerId, busy, reason, ranks, text });
}

function summaryText(summary: {
  readonly seconds: number;
  readonly messages: number;
  readonly records: number;
  readonly transitions: number;
  readonly busy: readonly string[];
}): string {
  const { messages, records, transitions, busy } = summary;
  const atEnd = busy.length === 0 ? 'no worker is busy' : `busy: ${busy.join(', ')}`;
  return `after ${summary.seconds.toFixed(1)} s: ${messages} load messages, ${records} discovery records, ${transitions} transitions; ${atEnd}`;
}
