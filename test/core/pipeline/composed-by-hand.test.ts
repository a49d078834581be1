import { type Observable, Subject, VirtualTimeScheduler, merge } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { ActiveLoad, FleetStart } from '../../../src/core/events/fleet-event.js';
import { instanceEvents, prefillEvents } from '../../../src/core/pipeline/instance-events.js';
import { loadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import type { ConfigChange, InstanceChange } from '../../../src/core/pipeline/monitor-sources.js';
import { reduceFleet } from '../../../src/core/pipeline/reduce-fleet.js';
import { configEvents, loadEvents } from '../../../src/core/pipeline/source-events.js';
import type { LoadPolicy } from '../../../src/core/policy/load-policy.js';
import { policies, policyNamed } from '../../../src/core/policy/policies.js';
import type { FleetStep } from '../../../src/core/state/fleet-step.js';
import { recordedInputs } from '../../../src/testing/recordings/recorded-inputs.js';
import { LoadDecoder } from '../../../src/wire/loads/load-decoder.js';
import type { RecordedEvent, RecordedInput, RecordingLine } from '../../../src/wire/recording/recording.js';
import { oracle, own } from '../../support/fixture-recordings.js';

/** The sources of one run, and its clock. */
class Sources {
  readonly clock = new VirtualTimeScheduler();
  private readonly emitted = {
    configs$: new Subject<ConfigChange>(),
    instances$: new Subject<InstanceChange>(),
    watches$: new Subject<Observable<InstanceChange>>(),
    loads$: new Subject<ActiveLoad>(),
    /** Everything else: recorded thresholds are not validated, and recorded ends are events. */
    inputs$: new Subject<RecordedInput>(),
  };
  readonly configs$ = this.emitted.configs$.asObservable();
  readonly instances$ = this.emitted.instances$.asObservable();
  readonly watches$ = this.emitted.watches$.asObservable();
  readonly loads$ = this.emitted.loads$.asObservable();
  readonly events$ = this.emitted.inputs$.pipe(recordedInputs());
  private readonly watches: Subject<InstanceChange>[] = [];
  private readonly decoder: LoadDecoder;

  constructor(policy: LoadPolicy) {
    this.decoder = new LoadDecoder(policy);
  }

  begin({ decodeInstances, prefillInstances }: FleetStart): void {
    if (decodeInstances !== undefined) this.emitted.instances$.next(decodeInstances);
    if (prefillInstances !== undefined) this.attach(prefillInstances);
  }

  emit(event: RecordedEvent, at: number): void {
    this.clock.maxFrames = at;
    this.clock.flush();
    this.clock.frame = at;
    switch (event.kind) {
      case 'start':
        return;
      case 'message': {
        const decoded = this.decoder.decode(event.payload);
        return 'load' in decoded ? this.emitted.loads$.next(decoded.load) : undefined;
      }
      case 'load':
        return this.emitted.loads$.next(event);
      case 'configs':
        return this.emitted.configs$.next(event.workers);
      case 'config':
        return this.emitted.configs$.next(event);
      case 'decodeInstances':
        return this.emitted.instances$.next(event.workerIds);
      case 'instance':
        return (event.role === 'prefill' ? this.watch(event.watch) : this.emitted.instances$)?.next(event);
      case 'prefillAttached':
        return this.attach(event.workerIds);
      case 'prefillInstances':
        return this.watch(event.watch)?.next(event.workerIds);
      case 'prefillClosed':
        return this.watch(event.watch)?.complete();
      default:
        this.emitted.inputs$.next(event);
    }
  }

  private attach(workerIds: InstanceChange): void {
    const watch$ = new Subject<InstanceChange>();
    this.watches.push(watch$);
    this.emitted.watches$.next(watch$);
    watch$.next(workerIds);
  }

  private watch(watch = this.watches.length - 1): Subject<InstanceChange> | undefined {
    return this.watches[watch];
  }
}

/** The sources of a run and its steps so far, as text: a step is an ordinary value. */
interface Run {
  readonly sources: Sources;
  readonly steps: readonly string[];
}

function startRun(policy: LoadPolicy, connect: (sources: Sources, steps$: Subject<FleetStep>) => void): Run {
  const sources = new Sources(policy);
  const steps$ = new Subject<FleetStep>();
  const steps: string[] = [];
  steps$.subscribe((step) => steps.push(JSON.stringify(step)));
  connect(sources, steps$);
  return { sources, steps };
}

const byHand = (policy: LoadPolicy, { thresholds, role }: FleetStart): Run =>
  startRun(policy, ({ clock, configs$, instances$, watches$, loads$, events$ }, steps$) => {
    merge(
      loads$.pipe(loadEvents()),
      configs$.pipe(configEvents()),
      events$,
      watches$.pipe(prefillEvents()),
      instances$.pipe(instanceEvents('decode')),
    )
      .pipe(reduceFleet(policy, { ...(thresholds && { thresholds }), ...(role && { role }) }, clock))
      .subscribe(steps$);
  });

const byMonitor = (policy: LoadPolicy, { thresholds, role }: FleetStart): Run =>
  startRun(policy, ({ clock, configs$, instances$, watches$, loads$, events$ }, steps$) => {
    const monitor = loadMonitor(
      {
        configs: configs$,
        decodeInstances: instances$,
        prefillInstances: watches$,
        loads: loads$,
        events: events$,
      },
      { policy, ...(thresholds && { thresholds }), ...(role && { role }), scheduler: clock },
    );
    monitor.steps$.subscribe(steps$);
    monitor.connect();
  });

/** The scenarios of a recording: each begins with a start. */
function scenariosOf(lines: readonly RecordingLine[]): { start: FleetStart; lines: RecordingLine[] }[] {
  const scenarios: { start: FleetStart; lines: RecordingLine[] }[] = [];
  for (const line of lines) {
    if ('event' in line && line.event.kind === 'start') scenarios.push({ start: line.event, lines: [] });
    else scenarios.at(-1)?.lines.push(line);
  }
  return scenarios;
}

describe('a pipeline composed by hand and loadMonitor', () => {
  it.each([...oracle, ...own].map((one) => [one.file, one] as const))(
    'make the same steps of %s',
    (_, { recording }) => {
      const policy = policyNamed(recording.header.policy);
      let compared = 0;
      for (const { start, lines } of scenariosOf(recording.lines)) {
        const runs = [byHand(policy, start), byMonitor(policy, start)];
        for (const { sources } of runs) {
          sources.begin(start);
          for (const line of lines) if ('event' in line) sources.emit(line.event, line.at);
        }
        const [hand, monitor] = runs;
        expect(hand?.steps).toEqual(monitor?.steps);
        compared += hand?.steps.length ?? 0;
      }
      expect(compared).toBeGreaterThan(0);
    },
  );

  it('make the same steps under every policy, whatever the recording', () => {
    const [{ recording } = { recording: { lines: [] } }] = own;
    for (const policy of Object.values(policies)) {
      for (const { start, lines } of scenariosOf(recording.lines)) {
        const runs = [
          byHand(policy, { role: start.role ?? 'aggregated' }),
          byMonitor(policy, { role: start.role ?? 'aggregated' }),
        ];
        for (const { sources } of runs)
          for (const line of lines) if ('event' in line) sources.emit(line.event, line.at);
        expect(runs[0]?.steps).toEqual(runs[1]?.steps);
      }
    }
  });
});
