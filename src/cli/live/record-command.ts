import { filter, interval, lastValueFrom, merge, takeUntil, tap } from 'rxjs';
import { monotonicScheduler } from '../../adapters/clock/monotonic-scheduler.js';
import type { FleetEvent } from '../../core/events/fleet-event.js';
import { sourceEvents } from '../../core/pipeline/load-monitor.js';
import { pickThresholds } from '../../core/policy/load-thresholds.js';
import { dynamoFleet } from '../../fleet/dynamo-fleet.js';
import { packageVersion } from '../../service/package-version.js';
import { recordedEventText, recordingHeaderText } from '../../wire/recording/encode-recording.js';
import type { RecordedStart } from '../../wire/recording/recording.js';
import { LiveReport } from '../live-report.js';
import { thresholdsText } from '../settings/rule-settings.js';
import { type Terminal, exitCode, untilSignal } from '../terminal.js';
import type { FleetPlan } from './live-plans.js';
import { RecordingWriter } from './recording-writer.js';

const FLUSH_MS = 500;

/**
 * `tidemark record`: writes the events of a live fleet as a recording.
 *
 * 1. The events are those of all pools that `tidemark watch` would judge, in the same order. Each load has its publisher, its sequence
 *    number and its time.
 * 2. Server failures do not end it. Lines are on the disk within a second, and complete however the process ends.
 */
export async function recordCommand(
  file: string,
  { settings, rules, fleet }: FleetPlan<'record'>,
  terminal: Terminal,
  end$ = untilSignal(settings.duration, monotonicScheduler),
): Promise<number> {
  const scheduler = monotonicScheduler;
  const { policy, thresholds } = rules;
  const watched = dynamoFleet({ ...fleet.options, form: 'objects', scheduler });
  const writer = RecordingWriter.to(file);
  // Never as JSON: standard output may be the recording.
  const report = new LiveReport(terminal, false, scheduler);
  const count = { events: 0, loads: 0 };
  const startedAt = scheduler.now();
  const record = (event: FleetEvent | RecordedStart): void => {
    const at = Math.round((scheduler.now() - startedAt) * 1000) / 1000;
    writer.add(recordedEventText(at, event));
  };

  report.start(
    `recording ${fleet.text}, policy ${policy.name}, ${thresholdsText(thresholds)}, to ${file === '-' ? 'standard output' : file}; press Ctrl-C to stop`,
    {},
  );
  const description = `${fleet.text}; tidemark ${packageVersion}, ${new Date().toISOString()}`;
  writer.add(recordingHeaderText({ policy: policy.name, description }));
  record({
    kind: 'start',
    thresholds: pickThresholds(thresholds),
    configs: true,
    decodeInstances: [],
  });
  writer.flush();
  const events$ = sourceEvents(watched.pool().sources).pipe(
    filter((input) => input.kind !== 'batch'),
    tap((event) => {
      count.events += 1;
      if (event.kind === 'load') count.loads += 1;
      if (event.kind === 'problem') report.problem(event.problem);
      record(event);
    }),
  );
  const flushed$ = interval(FLUSH_MS, scheduler).pipe(tap(() => writer.flush()));
  const outputs$ = merge(
    events$,
    merge(...watched.status).pipe(report.statuses(scheduler)),
    watched.accounting$.pipe(tap(({ gaps }) => report.gaps(gaps))),
  );
  const finished$ = merge(end$, flushed$.pipe(filter(() => writer.isReaderGone)));
  await lastValueFrom(outputs$.pipe(takeUntil(finished$)), { defaultValue: undefined });
  writer.close();

  const seconds = (scheduler.now() - startedAt) / 1000;
  terminal.err(
    `after ${seconds.toFixed(1)} s: ${count.events} events recorded, ${count.loads} of them loads`,
  );
  return exitCode.ok;
}
