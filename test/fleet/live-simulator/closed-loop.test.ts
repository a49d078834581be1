import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { loadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import { policies } from '../../../src/core/policy/policies.js';
import { dynamoFleet } from '../../../src/fleet/dynamo-fleet.js';
import { paced } from '../../../src/fleet/live-simulator/paced.js';
import { simulatedSources } from '../../../src/fleet/simulated-sources.js';
import { SimulatedRouter } from '../../../src/simulator/simulated-router.js';

const policy = policies['dynamo-1.6'];
const plan = { seed: 4, workers: 5, ranks: 2, durationMs: 60_000, startedAt: 0, policy };

/** A router that obeys the monitor of its own fleet, in virtual time. */
function closedLoop(activeDecodeBlocksThreshold: number | null) {
  const scheduler = new VirtualTimeScheduler();
  const router = new SimulatedRouter(plan, (id) => monitor.snapshot()?.busy.has(id) === true);
  const fleet = dynamoFleet({ ...simulatedSources(paced(router, scheduler)), scheduler });
  const thresholds = activeDecodeBlocksThreshold === null ? {} : { activeDecodeBlocksThreshold };
  const monitor = loadMonitor(fleet.pool().sources, { policy, thresholds, scheduler });
  const transitions: string[] = [];
  monitor.transitions$.subscribe(({ at, verdict }) => transitions.push(`${at} ${verdict.text}`));
  const running = monitor.connect();
  scheduler.maxFrames = plan.durationMs;
  scheduler.flush();
  running.unsubscribe();
  return { transitions, counts: router.counts };
}

describe('closed loop', () => {
  it('in virtual time, the monitor and the router give the same decisions in every run', () => {
    const first = closedLoop(0.6);
    expect(first.transitions.filter((text) => / free/.test(text)).length).toBeGreaterThan(5);
    expect(closedLoop(0.6)).toEqual(first);
  });

  it('a threshold changes the load: requests are rejected while all workers are busy', () => {
    const [without, low] = [closedLoop(null), closedLoop(0.3)];
    expect(without).toMatchObject({ transitions: [], counts: { rejected: 0 } });
    expect(low.counts.rejected).toBeGreaterThan(100);
    expect(low.counts.routed + low.counts.rejected).toBe(without.counts.routed);
  });
});
