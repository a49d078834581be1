import {
  endWith,
  from,
  interval,
  map,
  of,
  startWith,
  Subject,
  take,
  type TimestampProvider,
  VirtualTimeScheduler,
} from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { monotonicScheduler } from '../../src/adapters/clock/monotonic-scheduler.js';
import { LiveReport } from '../../src/cli/live-report.js';
import { type HeardSoFar, WorkerReport, silenceHint } from '../../src/cli/live/watch-command.js';
import type { ActiveLoad } from '../../src/core/events/fleet-event.js';
import type { LoadThresholdUpdate } from '../../src/core/policy/load-thresholds.js';
import type { InstanceChange } from '../../src/core/pipeline/monitor-sources.js';
import { loadMonitor } from '../../src/core/pipeline/load-monitor.js';
import { policies } from '../../src/core/policy/policies.js';
import { newStatuses } from '../../src/core/sources/status-reports.js';
import { workerId } from '../../src/core/worker-id.js';

afterEach(() => void vi.restoreAllMocks());

/** A report for people, and its lines without the time. */
function reporting(clock: TimestampProvider = { now: () => 5_000 }): {
  report: LiveReport;
  lines: () => string[];
} {
  const written: string[] = [];
  const write = (line: string): void => void written.push(line.replace(/^\d\d:\d\d:\d\d\.\d{3} {2}/, ''));
  const terminal = { out: write, err: write, progress: () => undefined };
  return {
    report: new LiveReport(terminal, false, clock),
    lines: () => written.splice(0),
  };
}

describe('LiveReport', () => {
  it('prints a status that is new, and one that lasts with its duration and the attempts', () => {
    const scheduler = new VirtualTimeScheduler(undefined, 45_000);
    const { report, lines } = reporting(scheduler);
    const down = { source: 'loads', state: 'down', since: 0, why: 'refused.', retryInMs: 500 } as const;
    interval(500, scheduler)
      .pipe(
        startWith(0),
        take(84),
        map(() => down),
        endWith({ ...down, why: 'silent.' }, { source: 'loads', state: 'live', since: 42_000 } as const),
        report.statuses(scheduler),
      )
      .subscribe();
    scheduler.flush();
    expect(lines()).toEqual([
      'loads (NATS): down: refused. Next try in 500 ms.',
      'loads (NATS): down for 10 s, 20 attempts: refused. Next try in 500 ms.',
      'loads (NATS): down for 40 s, 80 attempts: refused. Next try in 500 ms.',
      'loads (NATS): down for 42 s, 85 attempts: silent. Next try in 500 ms.',
      'loads (NATS): live',
    ]);
  });

  it.each([3_600_000, -3_600_000])(
    'prints wall-clock times after the wall clock is set by %i ms',
    (stepMs) => {
      const wallClock = Date.now;
      const written: { kind: string; time: string; since?: string }[] = [];
      const write = (line: string): void => void written.push(JSON.parse(line) as (typeof written)[number]);
      const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: null, kvUsedBlocks: null };
      const monitor = loadMonitor(
        {
          loads: of({ ...load, activePrefillTokens: 11 }),
          status: [of({ source: 's', state: 'live', since: 0 })],
        },
        {
          policy: policies.default,
          thresholds: { activePrefillTokensThreshold: 10 },
          scheduler: monotonicScheduler,
        },
      );
      const report = new LiveReport({ out: write, err: write, progress: () => undefined }, true, monitor);
      const pool = { model: 'llama', role: 'decode', endpoint: 'prod.backend.generate' } as const;
      monitor.transitions$.subscribe((transition) => report.transition(pool, transition));
      monitor.status$.pipe(newStatuses(), report.statuses(monotonicScheduler)).subscribe();
      vi.spyOn(Date, 'now').mockImplementation(() => wallClock() + stepMs);
      monitor.connect();
      const times = written.flatMap(({ time, since = time }) => [time, since]);
      expect(times.length).toBeGreaterThanOrEqual(4);
      for (const time of times) expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
    },
  );

  it('prints as text what is news about a worker, and as JSON every transition', () => {
    const pool = { model: 'llama', role: 'prefill', endpoint: 'prod.prefill.generate' } as const;
    const { report, lines } = reporting();
    const objects: string[] = [];
    const json = new LiveReport(
      { out: (line) => void objects.push(line), err: () => undefined, progress: () => undefined },
      true,
      { now: () => 0 },
    );
    const loads = new Subject<ActiveLoad>();
    const thresholds = new Subject<LoadThresholdUpdate>();
    const monitor = loadMonitor({ loads, thresholds });
    monitor.transitions$.subscribe((transition) => {
      report.transition(pool, transition);
      json.transition(pool, transition);
    });
    monitor.connect();
    const seen = (tokens: number): string[] => {
      const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: null, kvUsedBlocks: null };
      loads.next({ ...load, activePrefillTokens: tokens });
      return lines();
    };
    thresholds.next({ activePrefillTokensThreshold: 10 });
    expect(seen(3)).toEqual([]);
    expect(seen(11)).toEqual([expect.stringMatching(/^▲ prefill worker 7 is busy: /)]);
    expect(seen(4)).toEqual([expect.stringMatching(/^▽ prefill worker 7 is free: /)]);
    thresholds.next({ activePrefillTokensThreshold: null });
    expect(lines()).toEqual([expect.stringMatching(/^\? prefill worker 7 is unknown: /)]);
    monitor.stop();
    expect(objects.map((line) => JSON.parse(line) as object)).toMatchObject([
      { ...pool, workerId: '7', from: 'unknown', to: 'free' },
      { from: 'free', to: 'busy' },
      { from: 'busy', to: 'free' },
      { from: 'free', to: 'unknown' },
    ]);
  });

  it('prints the local time as text, right after each step of the wall clock', () => {
    const wallClock = Date.now;
    let stepMs = 0;
    vi.spyOn(Date, 'now').mockImplementation(() => wallClock() + stepMs);
    const written: string[] = [];
    const write = (line: string): void => void written.push(line);
    const terminal = { out: write, err: write, progress: () => undefined };
    const report = new LiveReport(terminal, false, monotonicScheduler);
    for (stepMs of [0, 3_600_000, -3_600_000, 0]) {
      // What is printed is one moment, however long the machine takes.
      const before = new Date(Date.now() - 1_000);
      report.event('x', 'text', {});
      const [, hours = '', minutes = '', seconds = ''] =
        /^(\d\d):(\d\d):(\d\d)\.\d{3} /.exec(written.at(-1) ?? '') ?? [];
      const printed = new Date(before);
      printed.setHours(Number(hours), Number(minutes), Number(seconds), 999);
      const laterMs = (printed.getTime() - before.getTime() + 86_400_000) % 86_400_000;
      expect(laterMs).toBeLessThan(60_000);
    }
  });

  it('prints gaps and problems as sentences, and only the first of many gaps', () => {
    const { report, lines } = reporting();
    const gap = {
      publisherId: '9',
      from: 5,
      to: 7,
      missing: 3,
      detached: false,
      restarted: false,
      seenAt: 0,
    };
    report.gaps([gap, { ...gap, detached: true }]);
    report.gaps(Array.from({ length: 300 }, () => gap));
    report.problem({ code: 'undecodable', source: 'loads', text: 'no envelope', count: 3 });
    const printed = lines();
    expect(printed.slice(0, 2)).toEqual([
      'gap: publisher 9: 3 missing (5 to 7)',
      'gap: publisher 9: 3 missing (5 to 7), while disconnected',
    ]);
    expect(printed.slice(-2)).toEqual(['gap: 295 more gaps', 'undecodable: no envelope (3 times)']);
    expect(printed).toHaveLength(9);
  });
});

describe('WorkerReport', () => {
  it('prints present workers in one line, then each change, and only the differences of a snapshot', () => {
    const { report, lines } = reporting();
    const [one, two] = [workerId('1'), workerId('2')];
    const changes: InstanceChange[] = [
      new Set([one]),
      { workerId: two, present: true },
      { workerId: two, present: true },
      { workerId: one, present: false },
      new Set([two]),
      new Set(Array.from({ length: 9 }, (_, n) => workerId(String(n + 10)))),
    ];
    const workers = new WorkerReport(report);
    from(changes).pipe(workers.report()).subscribe();
    expect(workers.total).toBe(9);
    expect(lines()).toEqual([
      'worker 1 joined; 1 worker in total',
      'worker 2 joined; 2 workers in total',
      'worker 1 left; 1 worker in total',
      '9 workers joined; worker 2 left; 9 workers in total',
    ]);
  });
});

describe('silenceHint', () => {
  const hints = (heard: HeardSoFar): string[] => {
    const { report, lines } = reporting();
    const scheduler = new VirtualTimeScheduler();
    silenceHint(() => heard, report, scheduler).subscribe();
    scheduler.flush();
    return lines();
  };
  const live = new Set(['loads', 'discovery']);

  it('suggests what to check if live sources are silent', () => {
    expect(hints({ loads: 0, workers: 0, live })).toEqual([
      expect.stringContaining('DYN_DISCOVERY_BACKEND=etcd'),
      expect.stringContaining('DYN_EVENT_PLANE=nats'),
    ]);
    expect(hints({ loads: 0, workers: 3, live })).toHaveLength(1);
    expect(hints({ loads: 9, workers: 3, live })).toEqual([]);
    expect(hints({ loads: 0, workers: 0, live: new Set() })).toEqual([]);
  });
});
