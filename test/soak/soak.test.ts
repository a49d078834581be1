import { describe, expect, it } from 'vitest';
import { help, soakOptions } from './options.js';
import { breaches, type EtcdResult, type FleetResult, type NatsResult } from './soak-result.js';
import { soakTable } from './soak-table.js';

const good: EtcdResult = {
  system: 'etcd',
  seed: 1,
  seconds: 180,
  faults: [{ kind: 'half-open, both directions', count: 2, detectMs: [8_000, 9_100], healMs: [40, 50] }],
  written: 1_000,
  finalWrong: 0,
  lost: 12,
  lostCompacted: 9,
  lostReplaced: 3,
  outOfOrder: 0,
  duplicates: 0,
  resyncs: 2,
  leaks: [],
  unhandled: [],
  tooRare: [],
};

const goodNats: NatsResult = {
  system: 'nats',
  seed: 1,
  seconds: 180,
  faults: [{ kind: 'half-open, both directions', count: 2, detectMs: [8_000, 8_100], healMs: [40, 50] }],
  published: 1_000,
  received: 900,
  lost: 100,
  lostInGaps: 80,
  lostDetached: 20,
  reportedWrongly: 0,
  outOfOrder: 0,
  duplicates: 0,
  detachedTimes: 3,
  detachedMs: 2_000,
  injectedMs: 1_900,
  settledMs: 200,
  leaks: [],
  unhandled: [],
  tooRare: [],
};

const goodFleet: FleetResult = {
  ...goodNats,
  system: 'fleet',
  faults: [{ kind: 'NATS: half-open, both directions', count: 1, detectMs: [12_000], healMs: [4_500] }],
  joined: 20,
  left: 10,
  killed: 9,
  killedReceived: 8,
  seenWorkers: 5,
  seenBusy: 3,
  viewErrors: [],
};

describe('breaches and soakTable', () => {
  it('etcd: no breach if all losses are excused; the table shows the measurements', () => {
    expect(breaches(good)).toEqual([]);
    const table = soakTable(good);
    expect(table).toContain('half-open detected within  9.10 s');
    expect(table).toContain('live again within          0.05 s');
    expect(table).toContain('intermediate values lost   0, and 9 compacted with a resync');
    expect(table).toContain('All guarantees hold.');
  });

  it.each<[Partial<EtcdResult>, string]>([
    [{ lost: 13 }, '1 values were lost that the server still had'],
    [{ finalWrong: 1 }, '1 final values are wrong'],
    [{ outOfOrder: 2 }, '2 values were out of order'],
    [{ duplicates: 3 }, '3 values were duplicates'],
    [{ leaks: ['a socket'] }, 'left behind: a socket'],
    [{ unhandled: ['Error: x'] }, 'unhandled: Error: x'],
    [{ tooRare: ['a cut'] }, 'too rare: a cut'],
  ])('etcd: %j is a breach', (change, text) => {
    const result = { ...good, ...change };
    expect(breaches(result)).toEqual([text]);
    expect(soakTable(result)).toContain(`Broken guarantees: ${text}.`);
  });

  it('NATS: no breach if all losses are reported', () => {
    expect(breaches(goodNats)).toEqual([]);
    const table = soakTable(goodNats);
    expect(table).toContain('messages published         1000, of which 900 were received');
    expect(table).toContain('lost                       100: 80 in reported gaps, 20 without numbers');
    expect(table).toContain('unreported                 0, and 0 reported but received');
    expect(table).toContain('reported as detached       2.00 s, 3 times; at most 1.90 s of faults');
    expect(table).toContain('All guarantees hold.');
  });

  it.each<[Partial<NatsResult>, string]>([
    [{ lost: 102 }, '2 messages were lost and not reported'],
    [{ reportedWrongly: 1 }, '1 messages were reported lost but received'],
    [{ detachedMs: 2_101 }, 'detached for 2101 ms, of 2100 ms at most'],
    [
      { faults: [{ kind: 'a cut', count: 1, detectMs: [10_001], healMs: [5] }] },
      'detected after more than 10 s: a cut',
    ],
    [
      { faults: [{ kind: 'a cut', count: 1, detectMs: [5], healMs: [4_001] }] },
      'live more than 4 s after healing: a cut',
    ],
    [{ duplicates: 3 }, '3 values were duplicates'],
  ])('NATS: %j is a breach', (change, text) => {
    expect(breaches({ ...goodNats, ...change })).toEqual([text]);
  });

  it('fleet: no breach if the final state is right, regardless of detection times', () => {
    expect(breaches(goodFleet)).toEqual([]);
    const table = soakTable(goodFleet);
    expect(table).toContain(
      'workers                    20 joined, 10 left in good order, 9 were killed, 8 of them after a message was received',
    );
    expect(table).toContain('state at the end           5 workers, 3 of them busy; correct');
    expect(table).toContain('half-open detected within  12.00 s');
    expect(table).toContain('All guarantees hold.');
  });

  it.each<[Partial<FleetResult>, string]>([
    [{ viewErrors: ['loads is down'] }, 'wrong monitor state: loads is down'],
    [{ lost: 102 }, '2 messages were lost and not reported'],
    [{ detachedMs: 2_101 }, 'detached for 2101 ms, of 2100 ms at most'],
  ])('fleet: %j is a breach', (change, text) => {
    expect(breaches({ ...goodFleet, ...change })).toEqual([text]);
  });

  it.each([
    [['--nats', '--minutes', '1'], { nats: true, etcd: false, minutes: 1 }],
    [['--minutes', '2'], { nats: false, etcd: false, minutes: 2 }],
    [['--etcd'], { etcd: true, minutes: 3, seed: 1, workers: null, json: false }],
    [['--etcd', '--minutes', '0.5', '--seed', '7', '--json'], { minutes: 0.5, seed: 7, json: true }],
    [['--etcd', '--workers', '20000'], { workers: 20_000 }],
    [['--help'], { help: true }],
  ])('accepts %j', (args, options) => {
    expect(soakOptions(args)).toMatchObject(options);
    for (const arg of args.filter((text) => text.startsWith('--'))) expect(help).toContain(arg);
  });

  it.each([
    [['--etcd', '--nats'], 'use neither to test both together'],
    [['--workers', '5'], '--workers only applies with --etcd'],
    [['--nats', '--workers', '5'], '--workers only applies with --etcd'],
    [['--etcd', '--minutes', '0'], '--minutes must be a number above 0'],
    [['--etcd', '--seed', 'x'], '--seed must be a whole number'],
    [['--etcd', '--workers', '0'], '--workers must be a whole number above 0'],
    [['--nothing'], "Unknown option '--nothing'"],
  ])('refuses %j', (args, text) => {
    expect(soakOptions(args)).toContain(text);
  });
});
