import { BehaviorSubject, Subject } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { monotonicScheduler } from '../../src/adapters/clock/monotonic-scheduler.js';
import type { FleetEvent } from '../../src/core/events/fleet-event.js';
import { loadMonitor } from '../../src/core/pipeline/load-monitor.js';
import { policies } from '../../src/core/policy/policies.js';
import type { SourceStatus } from '../../src/core/sources/source-status.js';
import { frontendThresholds } from '../../src/service/frontends/frontend-thresholds.js';
import { givenPool } from '../../src/service/given-pool.js';
import { startService } from '../../src/service/start-service.js';
import { samplesOf } from '../adapters/prometheus/page.js';
import { EventStream } from '../support/event-stream.js';
import { eventually } from '../support/eventually.js';
import { id, load } from '../support/fleet.js';
import { httpCall } from '../support/http-call.js';

const HOUR_MS = 3_600_000;
/** What a slow machine may add to an age. */
const TOLERANCE_MS = 60_000;
const endpoint = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };

afterEach(() => void vi.restoreAllMocks());

const schedulers = [
  // The clock of the default scheduler is the wall clock: a step after a load changes the age of that load.
  { clock: 'the default clock', scheduler: undefined, steps: ['start'] },
  { clock: 'the monotonic clock', scheduler: monotonicScheduler, steps: ['start', 'load'] },
] as const;
const frontend = 'http://127.0.0.1:1';
const cases = schedulers.flatMap(({ clock, scheduler, steps }) =>
  steps.flatMap((after) =>
    [HOUR_MS, -HOUR_MS].map((stepMs) => ({ clock, scheduler, after, stepMs, hours: stepMs / HOUR_MS })),
  ),
);

describe('the wall clock is set while a monitor runs', () => {
  it.each(cases)(
    'every age and date of a monitor with $clock is right after a step of $hours h after its $after',
    async ({ scheduler, after, stepMs }) => {
      const wallClock = Date.now;
      let shift = 0;
      vi.spyOn(Date, 'now').mockImplementation(() => wallClock() + shift);
      const step = (moment: 'start' | 'load'): void => {
        if (moment === after) shift = stepMs;
      };
      // The clock of a source may be another one.
      const status: SourceStatus = { source: 'loads', state: 'connecting', since: 0 };
      const status$ = new BehaviorSubject(status);
      const events = new Subject<FleetEvent>();
      const monitor = loadMonitor(
        { events, status: [status$] },
        {
          policy: policies.default,
          thresholds: { activeDecodeBlocksThreshold: 0.85 },
          ...(scheduler && { scheduler }),
        },
      );
      monitor.connect();
      const pools = givenPool({ name: { model: 'm', endpoint }, monitor, setThresholds: () => undefined }, 1);
      const frontends = frontendThresholds({
        urls: [frontend],
        intervalMs: HOUR_MS,
        timeoutMs: HOUR_MS,
        scheduler: monotonicScheduler,
      });
      const service = await startService({ pools, port: 0, frontends });
      try {
        using stream = await EventStream.open(`${service.url}/events`);
        await stream.first('snapshot');
        step('start');
        status$.next({ ...status, state: 'live' });
        events.next({ kind: 'configs', workers: new Map([[id(7), { totalKvBlocks: 100 }]]) });
        events.next(load({ kvUsedBlocks: 90 }));
        const transition = await stream.first('transition');
        const source = await stream.first('source');
        step('load');

        /** The outputs whose age or date is wrong now. */
        const wrongOutputs = async (): Promise<unknown[]> => {
          const page = samplesOf((await httpCall(`${service.url}/metrics`)).body);
          const sample = (metric: string): number =>
            Number([...page].find(([series]) => series.startsWith(`${metric}{`))?.[1]);
          const json = async (path: string): Promise<unknown> =>
            JSON.parse((await httpCall(`${service.url}${path}`)).body) as unknown;
          const { workers } = (await json('/workers')) as { workers: { since: string }[] };
          const worker = (await json('/workers/7')) as { pools: { since: string }[] };
          const ready = (await json('/readyz')) as { sources: { since: string }[] };
          const asked = (await json('/frontends')) as { frontends: { since: string }[] };
          using late = await EventStream.open(`${service.url}/events`);
          const { sources } = (await late.first('snapshot')) as { sources: { since: string }[] };
          const dates = {
            'age of a signal': Date.now() - sample('tidemark_rank_signal_age_seconds') * 1000,
            'metric of a busy worker': sample('tidemark_worker_busy_since_timestamp_seconds') * 1000,
            'metric of a source': sample('tidemark_source_state_since_timestamp_seconds') * 1000,
            'list of workers': Date.parse(workers[0]?.since ?? ''),
            explanation: Date.parse(worker.pools[0]?.since ?? ''),
            readiness: Date.parse(ready.sources[0]?.since ?? ''),
            frontend: Date.parse(asked.frontends[0]?.since ?? ''),
            snapshot: Date.parse(sources[0]?.since ?? ''),
          };
          return Object.entries(dates).filter(([, date]) => !(Math.abs(Date.now() - date) < TOLERANCE_MS));
        };
        expect(await wrongOutputs()).toEqual([]);
        if (after === 'start') {
          const dates = [transition['at'], source['since']].map((date) => Date.parse(String(date)));
          for (const date of dates) expect(Math.abs(Date.now() - date)).toBeLessThan(TOLERANCE_MS);
        }
        if (scheduler === undefined) return;
        for (const next of [-stepMs, 0, stepMs]) {
          shift = next;
          expect(await wrongOutputs()).toEqual([]);
          const why = `after a step of ${next} ms`;
          status$.next({ ...status, state: 'down', why });
          await eventually(() => stream.of('source').at(-1)?.['why'] === why);
          const since = Date.parse(String(stream.of('source').at(-1)?.['since']));
          expect(Math.abs(Date.now() - since)).toBeLessThan(TOLERANCE_MS);
        }
      } finally {
        await service.stop();
        monitor.stop();
      }
    },
  );
});
