import { EMPTY, NEVER, type Observable, Subject, concat, merge, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { FleetEvent } from '../../../src/core/events/fleet-event.js';
import { instanceEvents, prefillEvents } from '../../../src/core/pipeline/instance-events.js';
import type { InstanceChange } from '../../../src/core/pipeline/monitor-sources.js';
import { reduceFleet } from '../../../src/core/pipeline/reduce-fleet.js';
import { cleanups } from '../../../src/core/pipeline/selections.js';
import { policies } from '../../../src/core/policy/policies.js';
import { id } from '../../support/fleet.js';

const ids = (...workers: number[]): InstanceChange => workers.map(id);
const joined = (worker: number): InstanceChange => ({ workerId: id(worker), present: true });
const left = (worker: number): InstanceChange => ({ workerId: id(worker), present: false });
const lost$ = throwError(() => new Error('lost'));

/** An event in one line: its kind, its watch, and what it says about instances. */
function lineOf(event: FleetEvent): string {
  const watch = 'watch' in event && event.watch !== undefined ? ` ${event.watch}` : '';
  if ('present' in event && 'workerId' in event) {
    return `${event.kind}${watch} ${event.present ? '+' : '-'}${event.workerId}`;
  }
  if ('added' in event) {
    const changes = [...event.added.map((one) => `+${one}`), ...event.removed.map((one) => `-${one}`)];
    return [`${event.kind}${watch}`, ...changes, `of ${[...event.present].join()}`].join(' ');
  }
  return 'text' in event ? `${event.kind} ${event.text}` : `${event.kind}${watch}`;
}

function linesOf(events$: Observable<FleetEvent>): string[] {
  const lines: string[] = [];
  events$.subscribe({
    next: (event) => lines.push(lineOf(event)),
    error: () => lines.push('an error'),
    complete: () => lines.push('complete'),
  });
  return lines;
}

describe('instanceEvents - decode', () => {
  const linesOfDecode = (...changes: InstanceChange[]): string[] =>
    linesOf(concat(of(...changes), NEVER).pipe(instanceEvents('decode'))).slice(1);

  it('the first event is an empty snapshot, on subscription', () => {
    expect(linesOf(NEVER.pipe(instanceEvents('decode')))).toEqual(['decodeInstances of ']);
  });

  it('a snapshot is one event with its difference, even if nothing differs', () => {
    expect(linesOfDecode(ids(7), ids(7), ids(7, 8), ids(8), ids(), ids())).toEqual([
      'decodeInstances +7 of 7',
      'decodeInstances of 7',
      'decodeInstances +8 of 7,8',
      'decodeInstances -7 of 8',
      'decodeInstances -8 of ',
      'decodeInstances of ',
    ]);
  });

  it('a single change is one event, and the next snapshot is compared with what it left', () => {
    expect(linesOfDecode(ids(7), joined(8), left(7), ids(8, 9))).toEqual([
      'decodeInstances +7 of 7',
      'instance +8',
      'instance -7',
      'decodeInstances +9 of 8,9',
    ]);
  });

  it('a snapshot is copied when it arrives', () => {
    const members = new Set([id(7)]);
    const instances$ = new Subject<InstanceChange>();
    const lines = linesOf(instances$.pipe(instanceEvents('decode')));
    instances$.next(members);
    members.add(id(8));
    instances$.next(members);
    expect(lines.slice(1)).toEqual(['decodeInstances +7 of 7', 'decodeInstances +8 of 7,8']);
  });

  it('every subscription begins without instances', () => {
    const events$ = of(ids(7)).pipe(instanceEvents('decode'));
    expect(linesOf(events$)).toEqual(linesOf(events$));
  });

  it.each([
    [
      'its error is a problem, and the end',
      lost$,
      ['instancesError the source of decodeInstances failed: lost'],
    ],
    ['its end is an event', EMPTY, []],
  ])('%s', (_, end$, lines) => {
    expect(linesOf(concat(of(ids(7)), end$).pipe(instanceEvents('decode'))).slice(2)).toEqual([
      ...lines,
      'instancesEnded',
      'complete',
    ]);
  });

  it.each(['default', 'dynamo-1.6'] as const)(
    'a snapshot that lists the same instances revives a worker that was reported down, under %s',
    (name) => {
      const instances$ = new Subject<InstanceChange>();
      const events$ = new Subject<FleetEvent>();
      const down: number[] = [];
      merge(instances$.pipe(instanceEvents('decode')), events$)
        .pipe(reduceFleet(policies[name]))
        .subscribe(({ fleet }) => down.push(fleet.down));
      instances$.next(ids(7));
      events$.next({ kind: 'reportedDown', workerId: id(7) });
      expect(down.at(-1)).toBe(1);
      instances$.next(ids(7));
      expect(down.at(-1)).toBe(0);
    },
  );
});

describe('instanceEvents - prefill', () => {
  const linesOfPrefill = (instances$: Observable<InstanceChange>): string[] =>
    linesOf(instances$.pipe(instanceEvents('prefill')));

  it('the source is one watch, which attaches with its first snapshot', () => {
    expect(linesOfPrefill(concat(of(ids(7), ids(7), joined(8)), NEVER))).toEqual([
      'prefillAttached +7 of 7',
      'prefillInstances 0 of 7',
      'instance 0 +8',
    ]);
    expect(linesOfPrefill(NEVER)).toEqual([]);
  });

  it('a watch that begins with a single change attaches without instances', () => {
    expect(linesOfPrefill(concat(of(joined(7), ids(7, 8)), NEVER))).toEqual([
      'prefillAttached of ',
      'instance 0 +7',
      'prefillInstances 0 +8 of 7,8',
    ]);
  });

  it.each([
    [
      'its error is a problem, and closes the watch',
      lost$,
      ['instancesError a watch on prefill instances failed: lost'],
    ],
    ['its end closes the watch', EMPTY, []],
  ])('%s', (_, end$, lines) => {
    expect(linesOfPrefill(concat(of(ids(7)), end$)).slice(1)).toEqual([
      ...lines,
      'prefillClosed 0',
      'complete',
    ]);
  });
});

describe('prefillEvents', () => {
  it('the first snapshot of a watch is compared with the last instances of the watch before', () => {
    const [a$, b$, c$] = [
      new Subject<InstanceChange>(),
      new Subject<InstanceChange>(),
      new Subject<InstanceChange>(),
    ];
    const lines = linesOf(of(a$, b$, c$).pipe(prefillEvents()));
    a$.next(ids(1, 2));
    a$.next(joined(3));
    b$.next(ids(3, 4));
    // The watch that was replaced continues with its own instances.
    a$.next(ids(1));
    b$.next(ids(4));
    b$.complete();
    c$.next(joined(5));
    expect(lines).toEqual([
      'prefillAttached +1 +2 of 1,2',
      'instance 0 +3',
      'prefillAttached +4 -1 -2 of 3,4',
      'prefillInstances 0 -2 -3 of 1',
      'prefillInstances 1 -3 of 4',
      'prefillClosed 1',
      'prefillAttached -4 of ',
      'instance 2 +5',
    ]);
  });

  it('under takes-over-and-cleans a second watch cleans up the workers of the watch that it replaces', () => {
    const [a$, b$] = [new Subject<InstanceChange>(), new Subject<InstanceChange>()];
    const cleaned: string[] = [];
    merge(of(a$, b$).pipe(prefillEvents()), NEVER.pipe(instanceEvents('decode')))
      .pipe(reduceFleet(policies.default), cleanups())
      .subscribe(({ workerId, workerType }) => cleaned.push(`${workerType} ${workerId}`));
    a$.next(ids(1, 2));
    a$.next(joined(3));
    a$.next(left(2));
    expect(cleaned).toEqual(['prefill 2']);
    b$.next(ids(1));
    expect(cleaned).toEqual(['prefill 2', 'prefill 3']);
  });

  it('a watch that fails before its first change is a problem, and is not attached', () => {
    expect(linesOf(of(of(ids(7)), lost$, of(ids(8))).pipe(prefillEvents()))).toEqual([
      'prefillAttached +7 of 7',
      'prefillClosed 0',
      'instancesError a watch on prefill instances failed: lost',
      'prefillAttached +8 -7 of 8',
      'prefillClosed 1',
      'complete',
    ]);
  });

  it('the error of the outer stream is a problem, and its watches continue', () => {
    const watch$ = new Subject<InstanceChange>();
    const lines = linesOf(concat(of(watch$), lost$).pipe(prefillEvents()));
    watch$.next(ids(7));
    expect(lines).toEqual([
      'instancesError a watch on prefill instances failed: lost',
      'prefillAttached +7 of 7',
    ]);
  });

  it('the end of the outer stream is no event, and its watches continue', () => {
    const watch$ = new Subject<InstanceChange>();
    const lines = linesOf(of(watch$).pipe(prefillEvents()));
    watch$.next(ids(7));
    watch$.complete();
    expect(lines).toEqual(['prefillAttached +7 of 7', 'prefillClosed 0', 'complete']);
  });
});
