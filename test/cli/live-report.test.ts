import { from, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { LiveReport } from '../../src/cli/live-report.js';
import { type HeardSoFar, reportWorkerChanges, silenceHint } from '../../src/cli/live/watch-command.js';
import type { InstanceChange } from '../../src/core/pipeline/monitor-sources.js';
import { workerId } from '../../src/core/worker-id.js';

/** A report for people, and what it wrote, without the time in front. */
function reporting(): { report: LiveReport; lines: () => string[] } {
  const written: string[] = [];
  const write = (line: string): void => void written.push(line.replace(/^\d\d:\d\d:\d\d\.\d{3} {2}/, ''));
  const terminal = { out: write, err: write, progress: () => undefined };
  return {
    report: new LiveReport(terminal, false, { now: () => 5_000, schedule: () => expect.fail() }),
    lines: () => written.splice(0),
  };
}

describe('LiveReport', () => {
  it('a source that is tried again and again - is told once for each reason', () => {
    const { report, lines } = reporting();
    const down = { source: 'loads', state: 'down', since: 1_000 };
    report.status({ ...down, why: 'refused.', retryInMs: 40 });
    report.status({ ...down, why: 'refused.', retryInMs: 80 });
    expect(lines()).toEqual(['loads (NATS): down: refused. Next try in 40 ms.']);
    report.status({ ...down, why: 'silent.' });
    report.status({ ...down, why: 'refused.' });
    expect(lines()).toEqual([
      expect.stringMatching(/^loads \(NATS\): down since \d\d:\d\d:\d\d\.\d{3}: silent\.$/),
    ]);
    report.status({ source: 'loads', state: 'live', since: 4_000 });
    report.status({ ...down, why: 'refused.' });
    expect(lines()).toEqual(['loads (NATS): live', 'loads (NATS): down: refused.']);
    for (let n = 0; n < 100; n += 1) report.status({ ...down, why: `reason ${n}` });
    expect(lines().length).toBeLessThan(30);
  });

  it('gaps and problems - as sentences; of many gaps the first', () => {
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
    const told = lines();
    expect(told.slice(0, 2)).toEqual([
      'gap: publisher 9: 3 missing, numbers 5 to 7',
      'gap: publisher 9: 3 missing, numbers 5 to 7, while the connection was away',
    ]);
    expect(told.slice(-2)).toEqual(['gap: 295 more gaps', 'undecodable: no envelope (3 times)']);
    expect(told).toHaveLength(9);
  });
});

describe('workerNews', () => {
  it('all that are there at first in one line, then who comes and goes, and a whole only by what differs', () => {
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
    from(changes).pipe(reportWorkerChanges(report)).subscribe();
    expect(lines()).toEqual([
      'worker 1 came; 1 worker is there',
      'worker 2 came; 2 workers are there',
      'worker 1 left; 1 worker is there',
      '9 workers came; worker 2 left; 9 workers are there',
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

  it('nothing came from servers that are there - says what to check', () => {
    expect(hints({ loads: 0, workers: 0, live })).toEqual([
      expect.stringContaining('DYN_DISCOVERY_BACKEND=etcd'),
      expect.stringContaining('DYN_EVENT_PLANE=nats'),
    ]);
    expect(hints({ loads: 0, workers: 3, live })).toHaveLength(1);
    expect(hints({ loads: 9, workers: 3, live })).toEqual([]);
    expect(hints({ loads: 0, workers: 0, live: new Set() })).toEqual([]);
  });
});
