import { describe, expect, it } from 'vitest';
import { TidemarkError } from '../../../src/core/errors.js';
import { LoadAccounting } from '../../../src/dynamo/loads/load-accounting.js';
import type { LoadHeader } from '../../../src/wire/loads/load-header.js';

function head(publisher: number, sequence: number, publishedAt = 0): LoadHeader {
  return { present: true, publisherHigh: 0, publisherLow: publisher, sequence, publishedAt };
}
const none: LoadHeader = { ...head(0, 0), present: false };

describe('load accounting', () => {
  it('an empty account - has nothing in it', () => {
    expect(new LoadAccounting().snapshot()).toEqual({
      version: 0,
      messages: 0,
      bytes: 0,
      loads: 0,
      withoutHeader: 0,
      failed: 0,
      failures: {},
      foreign: { messages: 0, topics: [], otherTopics: 0 },
      sequences: { missing: 0, missingDetached: 0, gaps: 0, late: 0, restarts: 0 },
      publishers: { known: 0, forgotten: 0, unjudged: 0, gap: false },
      detached: { times: 0, milliseconds: 0, last: null },
      age: null,
      gapsDropped: 0,
    });
  });

  it('messages - are counted by what they are, and a snapshot stays as it was', () => {
    const accounting = new LoadAccounting();
    accounting.countLoad(none, 10);
    accounting.countFailure('truncated', 1);
    const before = accounting.snapshot();
    accounting.countFailure('truncated', 2);
    accounting.countFailure('empty', 0);
    accounting.countForeign('x', 5);
    expect(before).toMatchObject({ version: 2, messages: 2, failures: { truncated: 1 } });
    expect(accounting.snapshot()).toMatchObject({
      version: 5,
      messages: 5,
      bytes: 18,
      loads: 1,
      withoutHeader: 1,
      failed: 3,
      failures: { truncated: 2, empty: 1 },
      foreign: { messages: 1, topics: [{ topic: 'x', messages: 1 }], otherTopics: 0 },
      publishers: { known: 0 },
    });
  });

  it('foreign topics - 16 have a name, the others are one sum', () => {
    const accounting = new LoadAccounting();
    accounting.countForeign('y'.repeat(257), 1);
    for (let i = 0; i < 20; i += 1) accounting.countForeign(`t${i}`, 1);
    accounting.countForeign('t0', 1);
    const { foreign } = accounting.snapshot();
    expect([foreign.messages, foreign.topics.length, foreign.otherTopics]).toEqual([22, 16, 5]);
    expect(foreign.topics[0]).toEqual({ topic: 't0', messages: 2 });
  });

  it('a gap - is reported once, and a late message does not take it back', () => {
    const accounting = new LoadAccounting();
    accounting.setTime(7, 0);
    for (const sequence of [5, 6, 9, 7, 10, 10]) accounting.countLoad(head(1, sequence), 1);
    const gap = {
      publisherId: '1',
      from: 7,
      to: 8,
      missing: 2,
      detached: false,
      restarted: false,
      seenAt: 7,
    };
    expect(accounting.takeGaps()).toEqual([gap]);
    expect(accounting.takeGaps()).toEqual([]);
    expect(accounting.publishers()).toEqual([
      {
        publisherId: '1',
        received: 6,
        firstSequence: 5,
        lastSequence: 10,
        lastReceivedAt: 7,
        lastPublishedAt: 0,
        missing: 2,
        missingDetached: 0,
        gaps: 1,
        late: 2,
        restarts: 0,
        gap: false,
      },
    ]);
  });

  it('a restart - misses the numbers before its first one, and none if that is 0', () => {
    const accounting = new LoadAccounting();
    for (const [sequence, at] of [
      [50, 0],
      [0, 10],
      [1, 20],
      [3, 30],
      [2, 5000],
    ] as const) {
      accounting.countLoad(head(1, sequence, at), 1);
    }
    expect(accounting.snapshot().sequences).toMatchObject({ restarts: 2, gaps: 2, missing: 3, late: 0 });
    expect(accounting.takeGaps()).toMatchObject([
      { from: 2, to: 2, restarted: false },
      { from: 0, to: 1, restarted: true },
    ]);
  });

  it('a refused load - is a number of its publisher if its head could be read', () => {
    const accounting = new LoadAccounting();
    accounting.countLoad(head(1, 0), 1);
    accounting.countFailure('wrong-type', 1, head(1, 1));
    accounting.countFailure('malformed', 1, none);
    accounting.countLoad(head(1, 2), 1);
    expect(accounting.snapshot()).toMatchObject({ loads: 2, failed: 2, sequences: { missing: 0 } });
  });

  it('a detached interval - explains the gaps over it, until each publisher is judged', () => {
    const accounting = new LoadAccounting();
    for (const publisher of [1, 2, 3]) accounting.countLoad(head(publisher, 0), 1);
    accounting.countLoad(head(1, 2), 1);
    accounting.recordDetached(100, 250);
    expect(accounting.snapshot()).toMatchObject({
      version: 5,
      publishers: { unjudged: 3, gap: true },
      detached: { times: 1, milliseconds: 150, last: { from: 100, until: 250 } },
    });
    accounting.countLoad(head(1, 1), 1);
    expect(accounting.snapshot().publishers.unjudged).toBe(3);
    accounting.countLoad(head(1, 10), 1);
    accounting.countLoad(head(1, 12), 1);
    accounting.countLoad(head(2, 1), 1);
    accounting.countLoad(head(4, 9), 1);
    expect(accounting.takeGaps().map(({ from, to, detached }) => [from, to, detached])).toEqual([
      [1, 1, false],
      [3, 9, true],
      [11, 11, false],
    ]);
    expect(accounting.publishers().map(({ gap }) => gap)).toEqual([false, false, true, false]);
    expect(accounting.snapshot()).toMatchObject({
      sequences: { missing: 9, missingDetached: 7 },
      publishers: { known: 4, unjudged: 1, gap: true },
    });
    accounting.countLoad(head(3, 0, 9000), 1);
    expect(accounting.snapshot().publishers).toMatchObject({ unjudged: 0, gap: false });
  });

  it('silent publishers - are forgotten by forgetSilent, and are no longer unjudged', () => {
    const accounting = new LoadAccounting();
    for (const at of [1, 2, 3]) {
      accounting.setTime(at, 0);
      accounting.countLoad(head(at, 0), 1);
    }
    accounting.recordDetached(3, 4);
    expect(accounting.forgetSilent(3)).toBe(2);
    expect(accounting.snapshot()).toMatchObject({
      version: 6,
      publishers: { known: 1, forgotten: 2, unjudged: 1 },
    });
    accounting.countLoad(head(1, 70), 1);
    expect(accounting.snapshot().sequences.missing).toBe(0);
    expect(accounting.publishers().map(({ publisherId }) => publisherId)).toEqual(['1', '3']);
  });

  it('above the limit - the publisher silent longest is forgotten, not one that published in the meantime', () => {
    const accounting = new LoadAccounting({ publishers: 130 });
    for (let publisher = 0; publisher <= 130; publisher += 1) accounting.countLoad(head(publisher, 0), 1);
    for (const publisher of [1, 131, 132]) accounting.countLoad(head(publisher, 1), 1);
    const known = new Set(accounting.publishers().map(({ publisherId }) => publisherId));
    expect(['0', '1', '2', '3', '4', '132'].map((id) => known.has(id))).toEqual([
      false,
      true,
      false,
      false,
      true,
      true,
    ]);
    expect(accounting.snapshot().publishers).toMatchObject({ known: 130, forgotten: 3 });
  });

  it('ages - are a range over the interval, and below 0 a skew', () => {
    const accounting = new LoadAccounting();
    for (const [wall, publishedAt] of [
      [100, 90],
      [100, 130],
      [105, 100],
    ] as const) {
      accounting.setTime(0, wall);
      accounting.countLoad(head(1, publishedAt, publishedAt), 1);
    }
    expect(accounting.snapshot().age).toEqual({ messages: 3, min: -30, last: 5, max: 10, skewed: 1 });
    accounting.nextInterval();
    expect(accounting.snapshot().age).toBeNull();
    accounting.countLoad(head(1, 131, 105), 1);
    expect(accounting.snapshot().age).toEqual({ messages: 1, min: 0, last: 0, max: 0, skewed: 0 });
  });

  it('gaps that are not taken - are counted, and 256 are kept', () => {
    const accounting = new LoadAccounting();
    for (let i = 0; i < 301; i += 1) accounting.countLoad(head(1, i * 2), 1);
    expect(accounting.takeGaps()).toHaveLength(256);
    expect(accounting.snapshot()).toMatchObject({ gapsDropped: 44, sequences: { gaps: 300, missing: 300 } });
  });

  it.each([0, -1, 1.5, 500_001, NaN])('a limit of %s publishers - is an error', (publishers) => {
    expect(() => new LoadAccounting({ publishers })).toThrow(TidemarkError);
  });
});
