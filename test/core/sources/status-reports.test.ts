import fc from 'fast-check';
import {
  concat,
  concatMap,
  from,
  interval,
  map,
  NEVER,
  of,
  Subject,
  take,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Observable } from 'rxjs';
import type { SourceState, SourceStatus } from '../../../src/core/sources/source-status.js';
import { newStatuses, statusReports, type StatusReport } from '../../../src/core/sources/status-reports.js';

const HOUR_MS = 3_600_000;

interface Reported extends StatusReport {
  readonly at: number;
}

const status = (state: SourceState, why?: string, source = 'loads'): SourceStatus => ({
  source,
  state,
  since: 0,
  ...(why !== undefined && { why }),
});

/** What is reported until `untilMs`, when the statuses come at these times. */
function reportsOf(statuses: readonly (readonly [number, SourceStatus])[], untilMs: number): Reported[] {
  const scheduler = new VirtualTimeScheduler(undefined, untilMs);
  const status$ = from(statuses).pipe(
    concatMap(([at, value]) => timer(at - scheduler.now(), scheduler).pipe(map(() => value))),
  );
  return collect(concat(status$, NEVER), scheduler);
}

function collect(status$: Observable<SourceStatus>, scheduler: VirtualTimeScheduler): Reported[] {
  const reported: Reported[] = [];
  status$
    .pipe(statusReports(scheduler))
    .subscribe((report) => reported.push({ ...report, at: scheduler.now() }));
  scheduler.flush();
  return reported;
}

/** A status every `everyMs`, from 0 on. */
const every = (everyMs: number, untilMs: number, value: (n: number) => SourceStatus) =>
  Array.from({ length: untilMs / everyMs }, (_, n) => [n * everyMs, value(n)] as const);

describe('statusReports', () => {
  it('reports a new state and a new reason at once, also one that was reported before', () => {
    const told = reportsOf(
      [
        [0, status('connecting')],
        [1, status('down', 'refused')],
        [2, status('down', 'silent')],
        [3, status('down', 'refused')],
        [4, status('live')],
        [5, status('down', 'refused')],
      ],
      100,
    );
    expect(told.map(({ at, state, why }) => [at, state, why])).toEqual([
      [1, 'down', 'refused'],
      [2, 'down', 'silent'],
      [3, 'down', 'refused'],
      [4, 'live', undefined],
      [5, 'down', 'refused'],
    ]);
  });

  it('reports the same reason again at growing intervals, with the attempts so far', () => {
    const reports = reportsOf(
      every(500, HOUR_MS / 3, () => status('down', 'refused')),
      HOUR_MS / 3,
    );
    expect(reports.map(({ at, attempts }) => [at / 1000, attempts])).toEqual([
      [0, 1],
      [10, 20],
      [40, 80],
      [100, 200],
      [400, 800],
      [700, 1400],
      [1000, 2000],
    ]);
  });

  it.each(['connecting', 'stale', 'down'] as const)(
    'reports a source that stays %s without attempts',
    (state) => {
      const times = reportsOf([[0, status(state)]], 100_000).map(({ at }) => at / 1000);
      expect(times).toEqual(state === 'connecting' ? [10, 40, 100] : [0, 10, 40, 100]);
    },
  );

  it.each(['live', 'ended'] as const)('reports once that a source is %s', (state) => {
    expect(reportsOf([[0, status(state)]], HOUR_MS)).toHaveLength(1);
  });

  it('starts the intervals again with a new reason', () => {
    const times = reportsOf(
      [
        [0, status('down', 'refused')],
        [200_000, status('down', 'silent')],
      ],
      241_000,
    ).map(({ at }) => at / 1000);
    expect(times).toEqual([0, 10, 40, 100, 200, 210, 240]);
  });

  it.each([
    ['reasons', (n: number) => status('down', `reason ${n % 2}`)],
    ['reasons that are always new', (n: number) => status('down', `reason ${n}`)],
    ['states', (n: number) => (n % 2 === 0 ? status('down', 'refused') : status('live'))],
  ])('reports changing %s five times, and then at the intervals', (_, value) => {
    const times = reportsOf(every(50, HOUR_MS / 4, value), HOUR_MS / 4).map(({ at }) => at / 1000);
    expect(times.slice(0, 5)).toEqual([0, 0.05, 0.1, 0.15, 0.2]);
    expect(times.slice(5).map(Math.round)).toEqual([10, 40, 100, 400, 700]);
  });

  it('reports the last change 10 s after a source stops changing', () => {
    const last = 600_000;
    const flapping = every(50, last, (n) => (n % 2 === 0 ? status('down', 'refused') : status('live')));
    const reports = reportsOf([...flapping, [last, status('live')]], HOUR_MS);
    expect(reports.at(-1)).toMatchObject({ state: 'live' });
    expect(reports.at(-1)?.at).toBeLessThanOrEqual(last + 10_000);
  });

  const changes = fc.array(
    fc.tuple(
      fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 20_000 })),
      fc.constantFrom(
        status('down', 'a'),
        status('down', 'b'),
        status('live'),
        status('stale'),
        status('ended'),
      ),
    ),
    { minLength: 1, maxLength: 60 },
  );

  it('never reports more than six times in 10 s, and always the last status within 10 s', () => {
    fc.assert(
      fc.property(changes, (waits) => {
        let at = 0;
        const statuses = waits.map(([wait, value]) => [(at += wait), value] as const);
        const reports = reportsOf(statuses, at + 10_000);
        for (const { at: begin } of reports) {
          const window = reports.filter((report) => report.at >= begin && report.at < begin + 10_000);
          expect(window.length).toBeLessThanOrEqual(6);
        }
        const { state, why } = statuses.at(-1)?.[1] ?? {};
        expect(reports.at(-1)).toMatchObject({ state, ...(why !== undefined && { why }) });
      }),
    );
  });

  it('counts for each source on its own', () => {
    const both = every(50, 60_000, (n) => status('down', 'refused', `source ${n % 2}`));
    const reports = reportsOf(both, 60_000);
    expect(reports.map(({ source, at }) => [source, Math.round(at / 1000)])).toEqual(
      [0, 10, 40].flatMap((at) => [
        ['source 0', at],
        ['source 1', at],
      ]),
    );
  });

  it('ends with its source, and leaves no timer behind', () => {
    const scheduler = new VirtualTimeScheduler();
    const statuses$ = interval(1000, scheduler).pipe(
      map(() => status('down', 'refused')),
      take(3),
    );
    expect(collect(statuses$, scheduler)).toHaveLength(1);
    expect(scheduler.now()).toBe(3000);

    const unsubscribed = new VirtualTimeScheduler();
    const reports$ = concat(of(status('down')), NEVER).pipe(statusReports(unsubscribed));
    reports$.subscribe().unsubscribe();
    unsubscribed.flush();
    expect(unsubscribed.now()).toBe(0);
  });
});

describe('newStatuses', () => {
  it('emits each status once', () => {
    const lists$ = new Subject<readonly SourceStatus[]>();
    const emitted: SourceStatus[] = [];
    lists$.pipe(newStatuses()).subscribe((value) => emitted.push(value));
    const [one, two, again] = [status('live'), status('down', 'x', 'discovery'), status('live')];
    lists$.next([one]);
    lists$.next([one, two]);
    lists$.next([again, two]);
    expect(emitted).toEqual([one, two, again]);
  });
});
