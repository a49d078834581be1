import { EMPTY, NEVER, type Observable, Subject, concat, from, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { ActiveLoad, FleetEvent } from '../../../src/core/events/fleet-event.js';
import { LoadBatch, WorkerTable } from '../../../src/core/events/load-batch.js';
import type { FleetInput } from '../../../src/core/pipeline/fold-fleet.js';
import { loadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import type { ConfigChange } from '../../../src/core/pipeline/monitor-sources.js';
import { reduceFleet } from '../../../src/core/pipeline/reduce-fleet.js';
import { problems } from '../../../src/core/pipeline/selections.js';
import {
  configEvents,
  loadEvents,
  otherEvents,
  thresholdEvents,
} from '../../../src/core/pipeline/source-events.js';
import { ThresholdError } from '../../../src/core/policy/load-threshold-config.js';
import type { LoadThresholdUpdate } from '../../../src/core/policy/load-thresholds.js';
import { policies } from '../../../src/core/policy/policies.js';
import { id, load } from '../../support/fleet.js';
import { loadColumns } from '../../support/load-columns.js';

const lost$ = throwError(() => new Error('lost'));

/** The events of a source, and then how it ended, if it did. */
function eventsOf(events$: Observable<FleetInput>): unknown[] {
  const events: unknown[] = [];
  events$.subscribe({
    next: (event) => events.push(event),
    error: () => events.push('an error'),
    complete: () => events.push('complete'),
  });
  return events;
}

describe('configEvents', () => {
  const empty = { kind: 'configs', workers: new Map() };

  it('the first event is an empty snapshot, on subscription', () => {
    expect(eventsOf(NEVER.pipe(configEvents()))).toEqual([empty]);
  });

  it('a snapshot is one event, and so is one config that was added, replaced or removed', () => {
    const all = new Map([[id(7), { totalKvBlocks: 100 }]]);
    const one = { workerId: id(8), config: {} };
    const removed = { workerId: id(7), config: null };
    expect(eventsOf(concat(from<ConfigChange[]>([all, one, removed]), NEVER).pipe(configEvents()))).toEqual([
      empty,
      { kind: 'configs', workers: all },
      { kind: 'config', ...one },
      { kind: 'config', ...removed },
    ]);
  });

  it.each([
    [
      'its error is a problem, and the end',
      lost$,
      [{ kind: 'configError', text: 'the source of configs failed: lost' }],
    ],
    ['its end is an event', EMPTY, []],
  ])('%s', (_, configs$, events) => {
    expect(eventsOf(configs$.pipe(configEvents()))).toEqual([
      empty,
      ...events,
      { kind: 'configsEnded' },
      'complete',
    ]);
  });

  it('a value that cannot be read is an error of the source, which is left', () => {
    const configs$ = new Subject<ConfigChange>();
    const events = eventsOf(configs$.pipe(configEvents()));
    configs$.next(null as never);
    expect(events).toEqual([
      empty,
      { kind: 'configError', text: expect.stringContaining('the source of configs failed: ') as string },
      { kind: 'configsEnded' },
      'complete',
    ]);
    expect(configs$.observed).toBe(false);
  });
});

describe('loadEvents', () => {
  const active: ActiveLoad = {
    workerId: id(7),
    dpRank: 0,
    activeDecodeBlocks: null,
    activePrefillTokens: 11,
    kvUsedBlocks: null,
  };
  const newBatch = (): LoadBatch => new LoadBatch(loadColumns(new WorkerTable(), [7, 0, 11]));

  it('has no first event: without a load the source has not reported', () => {
    expect(eventsOf(NEVER.pipe(loadEvents()))).toEqual([]);
  });

  it('a load is one event, with or without its envelope', () => {
    const received = { ...load(), publisherId: '9', sequence: 1 };
    expect(eventsOf(concat(from<ActiveLoad[]>([active, received]), NEVER).pipe(loadEvents()))).toEqual([
      { kind: 'load', ...active },
      received,
    ]);
  });

  it('a batch is passed on as it is', () => {
    const batch = newBatch();
    expect(eventsOf(concat(of(batch), NEVER).pipe(loadEvents()))[0]).toBe(batch);
  });

  it.each([
    [
      'its error is a problem, and the end',
      lost$,
      [{ kind: 'loadError', text: 'the source of loads failed: lost' }],
    ],
    ['its end is an event', EMPTY, []],
  ])('%s', (_, loads$, events) => {
    expect(eventsOf(loads$.pipe(loadEvents()))).toEqual([...events, { kind: 'loadStreamEnded' }, 'complete']);
  });

  it('a batch that arrives after its call is an error of the source, and the monitor continues', () => {
    const loads$ = new Subject<ActiveLoad | LoadBatch>();
    const events = eventsOf(loads$.pipe(loadEvents()));
    const monitor = loadMonitor({ loads: loads$, events: NEVER });
    const found: string[] = [];
    monitor.problems$.subscribe(({ code, source }) => found.push(`${source} ${code}`));
    const run = monitor.connect();
    const late = newBatch();
    late.expire();
    loads$.next(late);
    expect(events).toEqual([
      { kind: 'loadError', text: expect.stringContaining('the source of loads failed: ') as string },
      { kind: 'loadStreamEnded' },
      'complete',
    ]);
    expect(found).toEqual(['loads source-error', 'loads source-stale']);
    expect(run.closed).toBe(false);
    monitor.stop();
  });
});

describe('thresholdEvents', () => {
  const problemsOf = (...changes: unknown[]): string[] => {
    const found: string[] = [];
    concat(of(...(changes as LoadThresholdUpdate[])), NEVER)
      .pipe(thresholdEvents(), reduceFleet(policies.default), problems())
      .subscribe(({ code, text }) => found.push(`${code}: ${text}`));
    return found;
  };

  it('a change is one event, and the end is none', () => {
    expect(eventsOf(of({ activeDecodeBlocksThreshold: 0.5 }).pipe(thresholdEvents()))).toEqual([
      { kind: 'thresholds', activeDecodeBlocksThreshold: 0.5, checked: true },
      'complete',
    ]);
  });

  it('changes are validated by the policy, and a refused one is a problem', () => {
    expect(problemsOf({ activeDecodeBlocksThreshold: 1.5 }, { activeDecodeBlocksThreshold: 0.5 })).toEqual([
      'threshold-out-of-range: active_decode_blocks_threshold must be between 0.0 and 1.0, got 1.5',
    ]);
  });

  it('a misspelt name, a text and no object are problems, and the changes after them are taken', () => {
    const found = problemsOf(
      { activeDecodeBlockThreshold: 0.5 },
      { activeDecodeBlocksThreshold: '0.5' },
      null,
      { activeDecodeBlocksThreshold: 1.5 },
    );
    expect(found).toHaveLength(4);
    expect(found[0]).toContain('the nearest name is activeDecodeBlocksThreshold');
  });

  it('its error is a problem, and not the end of the thresholds', () => {
    const text = 'the source of thresholds failed: lost';
    expect(eventsOf(lost$.pipe(thresholdEvents()))).toMatchObject([
      { kind: 'problem', problem: { code: 'source-error', source: 'thresholds', text } },
      'complete',
    ]);
  });
});

describe('otherEvents', () => {
  it('are the events themselves; an error is a problem, and the end is no event', () => {
    const marked: FleetEvent = { kind: 'marked', workerId: id(7) };
    const text = 'the source of events failed: lost';
    expect(eventsOf(concat(of(marked), lost$).pipe(otherEvents()))).toMatchObject([
      marked,
      { kind: 'problem', problem: { code: 'source-error', source: 'events', text } },
      'complete',
    ]);
    expect(eventsOf(of(marked).pipe(otherEvents()))).toEqual([marked, 'complete']);
  });
});

describe('thresholds in options', () => {
  const refused: [string, unknown][] = [
    ['under a misspelt name', { activeDecodeBlockThreshold: 0.5 }],
    ['as text', { activeDecodeBlocksThreshold: '0.5' }],
    ['out of range', { activeDecodeBlocksThreshold: 1.5 }],
  ];
  it.each(refused)('loadMonitor refuses thresholds %s, when it is called', (_, thresholds) => {
    expect(() => loadMonitor({}, { thresholds: thresholds as LoadThresholdUpdate })).toThrow(ThresholdError);
  });

  it.each(refused)('reduceFleet refuses thresholds %s, when it is called', (_, thresholds) => {
    expect(() => reduceFleet(policies.default, { thresholds: thresholds as LoadThresholdUpdate })).toThrow(
      ThresholdError,
    );
  });
});
