import { expect, it } from 'vitest';
import type { TimedStatus } from '../source-listener.js';
import { countPublisherLosses } from './publisher-losses.js';
import type { WorkerLifetime } from './worker-plan.js';

const life = (count: number | null): WorkerLifetime => ({
  publisherId: '9',
  beganAt: 100,
  endedAt: 200,
  count,
});
const downFrom = (from: number, until: number): TimedStatus[] => [
  { state: 'live', at: 0 },
  { state: 'down', at: from },
  { state: 'live', at: until },
];
const numbersReceived = (...numbers: number[]) =>
  numbers.map((number) => ({ number, at: 100 + 10 * number }));

it.each([
  ['all received', life(3), numbersReceived(0, 1, 2), downFrom(500, 600), { count: 3, lost: 0, reported: 0 }],
  [
    'the first were lost while down',
    life(4),
    numbersReceived(2, 3),
    downFrom(90, 115),
    { lost: 2, reportedDown: 2 },
  ],
  [
    'the first were lost while it was live',
    life(4),
    numbersReceived(2, 3),
    downFrom(50, 95),
    { lost: 2, reported: 0 },
  ],
  [
    'the last were lost while down',
    life(6),
    numbersReceived(0, 1),
    downFrom(120, 250),
    { lost: 4, reported: 4 },
  ],
  [
    'the last were lost on a silent link that was detected later',
    life(6),
    numbersReceived(0, 1),
    downFrom(8_000, 9_000),
    { lost: 4, reported: 4 },
  ],
  [
    'the last were lost while it was live',
    life(6),
    numbersReceived(0, 1),
    downFrom(50, 95),
    { lost: 4, reported: 0 },
  ],
  ['none received while down', life(5), [], downFrom(90, 300), { count: 5, lost: 5, reported: 5 }],
  [
    'a loss in between that no gap reports',
    life(4),
    numbersReceived(0, 3),
    downFrom(90, 300),
    { lost: 2, reported: 0 },
  ],
  ['killed', life(null), numbersReceived(0, 1), downFrom(500, 600), { count: 2, lost: 0 }],
  ['killed before anything was received', life(null), [], downFrom(500, 600), { count: 0, lost: 0 }],
])('%s', (_, lifetime, received, statuses, losses) => {
  expect(countPublisherLosses(lifetime, received, [], statuses)).toMatchObject(losses);
});
