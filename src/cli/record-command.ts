import { filter, interval, merge, takeUntil, tap } from 'rxjs';
import { monotonicScheduler } from '../adapters/clock/monotonic-scheduler.js';
import type { FleetEvent } from '../core/fleet-event.js';
import { sourceEvents } from '../core/load-monitor/source-events.js';
import { policyNamed } from '../core/policy-named.js';
import { dynamoSources } from '../dynamo/dynamo-sources.js';
import type { RecordedStart } from '../wire/recording.js';
import { exitCode } from './exit-code.js';
import { LiveReport } from './live-report.js';
import { marksOf, type MarkOptions } from './mark-options.js';
import { marksText } from './marks-text.js';
import { packageVersion } from '../service/package-version.js';
import { recordedEventText, recordingHeaderText } from './recording-text.js';
import { RecordingWriter } from './recording-writer.js';
import type { Terminal } from './terminal.js';
import { untilSignal } from './until-signal.js';
import { watchedFleet, type WatchedFleetOptions } from './watched-fleet.js';

/** The options of `tidemark record`. */
export interface RecordOptions extends WatchedFleetOptions, MarkOptions {
  readonly policy: string;
}

const FLUSH_MS = 500;

/**
 * `tidemark record`: what a live fleet says, as a recording: the events that `tidemark watch` would judge, in its order,
 * each load with who published it, as which number, and when.
 * Nothing that a server does ends it. Lines are on the disk within a second, and complete whatever ends the process.
 */
export async function recordCommand(
  file: string,
  options: RecordOptions,
  terminal: Terminal,
  end$ = untilSignal(options.duration, monotonicScheduler),
): Promise<number> {
  const scheduler = monotonicScheduler;
  const policy = policyNamed(options.policy);
  const marks = marksOf(options, policy, {});
  const { activeDecodeBlocksThreshold, activePrefillTokensThreshold, activePrefillTokensThresholdFrac } =
    marks;
  const fleet = watchedFleet(options);
  const sources = dynamoSources({ ...fleet.sources, form: 'objects' });
  const writer = RecordingWriter.to(file);
  // Everything is for people: standard output may be the recording.
  const report = new LiveReport(terminal, false, scheduler);
  const count = { events: 0, loads: 0 };
  const began = scheduler.now();
  const record = (event: FleetEvent | RecordedStart): void => {
    const at = Math.round((scheduler.now() - began) * 1000) / 1000;
    writer.add(recordedEventText(at, event));
  };

  report.began(
    `recording ${fleet.text}, policy ${policy.name}, ${marksText(marks)}, to ${file === '-' ? 'standard output' : file}; Ctrl-C ends it`,
    {},
  );
  const description = `${fleet.text}; tidemark ${packageVersion}, ${new Date().toISOString()}`;
  writer.add(recordingHeaderText({ policy: policy.name, description }));
  record({
    kind: 'start',
    thresholds: {
      activeDecodeBlocksThreshold,
      activePrefillTokensThreshold,
      activePrefillTokensThresholdFrac,
    },
    cards: true,
    decodeInstances: [],
  });
  writer.flush();
  const events$ = merge(...sourceEvents(sources).map(({ events$ }) => events$)).pipe(
    filter((item) => 'kind' in item),
    tap((event) => {
      count.events += 1;
      if (event.kind === 'load') count.loads += 1;
      if (event.kind === 'problem') report.problem(event.problem);
      record(event);
    }),
  );
  const flushed$ = interval(FLUSH_MS, scheduler).pipe(tap(() => writer.flush()));
  const told$ = merge(
    events$,
    merge(...sources.status).pipe(
      tap((status) => {
        if (status.state !== 'connecting') report.health(status);
      }),
    ),
    sources.accounting$.pipe(tap(({ gaps }) => report.gaps(gaps))),
  );
  await new Promise<void>((resolve, reject) => {
    told$
      .pipe(takeUntil(merge(end$, flushed$.pipe(filter(() => writer.readerGone)))))
      .subscribe({ error: reject, complete: resolve });
  });
  writer.close();

  const seconds = (scheduler.now() - began) / 1000;
  terminal.err(
    `after ${seconds.toFixed(1)} s: ${count.events} events recorded, ${count.loads} of them loads`,
  );
  return exitCode.ok;
}
