import { describe, expect, it } from 'vitest';
import type { SequenceGap } from '../../../src/wire/loads/load-account.js';
import type { TimedStatus } from '../source-listener.js';
import { measureDownTime, countLosses, type ReceivedNumber } from './losses.js';

/** Received numbers, each at ten times its number. */
const numbersReceived = (...numbers: number[]): ReceivedNumber[] =>
  numbers.map((number) => ({ number, at: 10 * number }));
const gap = (from: number, to: number): SequenceGap => ({
  publisherId: '9',
  from,
  to,
  missing: to - from + 1,
  detached: true,
  restarted: false,
  seenAt: 0,
});
const statusAt = (state: TimedStatus['state'], at: number): TimedStatus => ({ state, at });
const up = [statusAt('connecting', 0), statusAt('live', 1)];

describe('lossesOf', () => {
  it.each([
    ['all received', 3, numbersReceived(0, 1, 2), [], { lost: 0, reported: 0 }],
    ['a gap', 4, numbersReceived(0, 3), [gap(1, 2)], { lost: 2, reported: 2, reportedWrongly: 0 }],
    ['a gap that is too short', 5, numbersReceived(0, 4), [gap(1, 2)], { lost: 3, reported: 2 }],
    [
      'a gap that is too long',
      4,
      numbersReceived(0, 2, 3),
      [gap(1, 2)],
      { lost: 1, reported: 1, reportedWrongly: 1 },
    ],
    ['the last ones, whose loss cannot be detected', 4, numbersReceived(0, 1), [], { lost: 2, reported: 0 }],
    ['a duplicate', 2, numbersReceived(0, 1, 1), [], { lost: 0, duplicates: 1, outOfOrder: 0 }],
    ['out of order', 3, numbersReceived(0, 2, 1), [], { lost: 0, duplicates: 0, outOfOrder: 1 }],
  ])('%s', (_, count, received, gaps, losses) => {
    expect(countLosses(count, received, gaps, up)).toMatchObject(losses);
  });

  it.each([
    ['between the messages around the loss', [statusAt('down', 15), statusAt('live', 25)], 1],
    ['starting before and ending in it', [statusAt('down', 5), statusAt('live', 11)], 1],
    ['before it', [statusAt('down', 5), statusAt('live', 9)], 0],
    ['after it', [statusAt('down', 31), statusAt('live', 40)], 0],
    ['never', [], 0],
  ])('without numbers, a loss is reported by an interval down: %s', (_, statuses, reported) => {
    expect(countLosses(4, numbersReceived(0, 1, 3), null, [...up, ...statuses])).toMatchObject({
      lost: 1,
      reported,
    });
  });
});

describe('downTime', () => {
  it('sums detected faults from start to healing, and the time from healing until permanently live', () => {
    const statuses = [
      ...up,
      statusAt('down', 110),
      statusAt('live', 250),
      statusAt('down', 260),
      statusAt('live', 300),
    ];
    const times = [
      { began: 50, healed: 90 },
      { began: 100, healed: 200 },
      { began: 400, healed: 500 },
    ];
    expect(measureDownTime(times, statuses)).toEqual({ injectedMs: 100, settledMs: 100 });
  });

  it('does not count time after healing if it was live before', () => {
    const statuses = [...up, statusAt('down', 110), statusAt('live', 150)];
    expect(measureDownTime([{ began: 100, healed: 200 }], statuses)).toEqual({
      injectedMs: 100,
      settledMs: 0,
    });
  });
});
