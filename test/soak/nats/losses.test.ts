import { describe, expect, it } from 'vitest';
import type { SequenceGap } from '../../../src/wire/loads/load-account.js';
import type { SeenStatus } from '../ear.js';
import { downTime, lossesOf, type Heard } from './losses.js';

/** Numbers that came, each at ten times its number. */
const came = (...numbers: number[]): Heard[] => numbers.map((number) => ({ number, at: 10 * number }));
const gap = (from: number, to: number): SequenceGap => ({
  publisherId: '9',
  from,
  to,
  missing: to - from + 1,
  detached: true,
  restarted: false,
  seenAt: 0,
});
const says = (state: SeenStatus['state'], at: number): SeenStatus => ({ state, at });
const up = [says('connecting', 0), says('live', 1)];

describe('what became of the messages of a publisher', () => {
  it.each([
    ['all heard', 3, came(0, 1, 2), [], { lost: 0, reported: 0 }],
    ['a gap', 4, came(0, 3), [gap(1, 2)], { lost: 2, reported: 2, reportedWrongly: 0 }],
    ['a gap that is too short', 5, came(0, 4), [gap(1, 2)], { lost: 3, reported: 2 }],
    ['a gap that is too long', 4, came(0, 2, 3), [gap(1, 2)], { lost: 1, reported: 1, reportedWrongly: 1 }],
    ['the last ones, of which nobody can know', 4, came(0, 1), [], { lost: 2, reported: 0 }],
    ['twice', 2, came(0, 1, 1), [], { lost: 0, toldTwice: 1, outOfOrder: 0 }],
    ['out of order', 3, came(0, 2, 1), [], { lost: 0, toldTwice: 0, outOfOrder: 1 }],
  ])('%s', (_, count, heard, gaps, losses) => {
    expect(lossesOf(count, heard, gaps, up)).toMatchObject(losses);
  });

  it.each([
    ['between the messages around the loss', [says('down', 15), says('live', 25)], 1],
    ['beginning before and ending in it', [says('down', 5), says('live', 11)], 1],
    ['before it', [says('down', 5), says('live', 9)], 0],
    ['after it', [says('down', 31), says('live', 40)], 0],
    ['never', [], 0],
  ])('without numbers a loss is reported by a time down: %s', (_, statuses, reported) => {
    expect(lossesOf(4, came(0, 1, 3), null, [...up, ...statuses])).toMatchObject({
      lost: 1,
      reported,
    });
  });
});

describe('how long faults lasted', () => {
  it('counts those that were noticed, from their begin, and the time from healing until it was live for good', () => {
    const statuses = [...up, says('down', 110), says('live', 250), says('down', 260), says('live', 300)];
    const times = [
      { began: 50, healed: 90 },
      { began: 100, healed: 200 },
      { began: 400, healed: 500 },
    ];
    expect(downTime(times, statuses)).toEqual({ injectedMs: 100, settledMs: 100 });
  });

  it('counts nothing for what was live again before it was healed', () => {
    const statuses = [...up, says('down', 110), says('live', 150)];
    expect(downTime([{ began: 100, healed: 200 }], statuses)).toEqual({ injectedMs: 100, settledMs: 0 });
  });
});
