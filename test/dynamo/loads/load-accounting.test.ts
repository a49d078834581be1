import { describe, expect, it } from 'vitest';
import { TidemarkError } from '../../../src/core/errors.js';
import { LoadAccounting } from '../../../src/dynamo/loads/load-accounting.js';
import type { LoadHeader } from '../../../src/wire/loads/load-header.js';
import { CONFIRMING_MESSAGES, MAX_PLAIN_GAP, MAX_RUNS } from '../../../src/dynamo/loads/publisher-runs.js';
import { headerOf, headerWithoutLoad } from '../../support/load-headers.js';

function head(publisher: number, sequence: number, publishedAt = 0): LoadHeader {
  return headerOf({ publisher, sequence, publishedAt });
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
      publishers: { known: 0, forgotten: 0, unjudged: 0, gap: false, notAccountable: 0 },
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
        notAccountable: null,
      },
    ]);
  });

  it('a restart - misses the numbers before its first one, once more messages follow, and none if that is 0', () => {
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
    expect(accounting.snapshot().sequences).toMatchObject({ restarts: 2, gaps: 1, missing: 1 });
    for (let n = 1; n <= CONFIRMING_MESSAGES; n += 1) accounting.countLoad(head(1, 2 + n, 5000), 1);
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

  it('a large gap - is reported after more messages, and never if the earlier numbers continue', () => {
    const accounting = new LoadAccounting();
    const large = MAX_PLAIN_GAP + 2;
    for (const publisher of [1, 2])
      for (const sequence of [0, large]) accounting.countLoad(head(publisher, sequence), 1);
    for (let n = 1; n < CONFIRMING_MESSAGES; n += 1) accounting.countLoad(head(1, large + n), 1);
    accounting.countLoad(head(2, 1), 1);
    expect(accounting.takeGaps()).toEqual([]);
    accounting.countLoad(head(1, large + CONFIRMING_MESSAGES), 1);
    expect(accounting.takeGaps()).toMatchObject([{ publisherId: '1', from: 1, to: large - 1 }]);
    expect(accounting.publishers().map(({ notAccountable }) => notAccountable)).toEqual([
      null,
      'interleaved',
    ]);
  });

  it('interleaved numbers of one rank - take back what was reported, are said once, and are forgotten', () => {
    const accounting = new LoadAccounting();
    accounting.countLoad(head(1, 0), 1);
    // Two publishers of one rank, at 40 and 45.
    for (const sequence of [40, 45, 41, 46, 42, 47]) accounting.countLoad(head(7, sequence, sequence), 1);
    accounting.countLoad(head(1, 2), 1);
    expect(accounting.snapshot().sequences).toMatchObject({ gaps: 2, missing: 5 });
    expect(accounting.takeNotAccountable()).toBeNull();
    accounting.countLoad(head(7, 43), 1);
    for (const sequence of [48, 60, 99]) accounting.countLoad(head(7, sequence), 1);
    expect(accounting.takeNotAccountable()).toEqual({ count: 1, publisherId: '7', reason: 'interleaved' });
    expect(accounting.takeNotAccountable()).toBeNull();
    expect(accounting.takeGaps()).toMatchObject([{ publisherId: '1', from: 1, to: 1 }]);
    expect(accounting.snapshot()).toMatchObject({
      sequences: { gaps: 1, missing: 1 },
      publishers: { known: 2, notAccountable: 1 },
    });
    expect(accounting.publishers()[1]).toMatchObject({ received: 10, missing: 0, gaps: 0, lastSequence: 99 });
    accounting.setTime(10, 0);
    accounting.countLoad(head(1, 3), 1);
    accounting.forgetSilent(10);
    expect(accounting.snapshot().publishers).toMatchObject({ known: 1, notAccountable: 0 });
  });

  it('two publishers of one rank that restart at once - are never given a number of missing messages', () => {
    const accounting = new LoadAccounting();
    for (let n = 0; n < 20; n += 1)
      for (const at of [0, 400]) accounting.countLoad(head(7, n, 2000 * n + at), 1);
    expect(accounting.takeGaps()).toEqual([]);
    expect(accounting.publishers()).toMatchObject([{ missing: 0, notAccountable: 'interleaved' }]);
  });

  it('two ranks under one id, of which one is rare - are told apart for a minute (fleet-01)', () => {
    const accounting = new LoadAccounting();
    for (let at = 0; at < 60_000; at += 100) {
      accounting.setTime(at, at);
      const numbers = [50_000 + at / 100, 5000 + at / 1000].slice(0, at % 1000 === 0 ? 2 : 1);
      numbers.forEach((sequence, dpRank) => {
        // One message of each rank is lost.
        if (sequence === 50_300 || sequence === 5030) return;
        accounting.countLoad(headerOf({ publisher: 7, dpRank, sequence, publishedAt: at }), 1);
      });
    }
    expect(accounting.takeGaps()).toMatchObject([
      { from: 50_300, to: 50_300 },
      { from: 5030, to: 5030 },
    ]);
    expect(accounting.snapshot()).toMatchObject({
      loads: 658,
      sequences: { missing: 2, gaps: 2, late: 0, restarts: 0 },
      publishers: { known: 1, notAccountable: 0 },
    });
  });

  it('two ranks that share numbers - are one sequence, also before each was heard twice', () => {
    const accounting = new LoadAccounting();
    // Rank 0 sends 10, 12 and 15; 11 and 13 of rank 1 are lost.
    for (const [dpRank, sequence] of [
      [0, 10],
      [1, 12],
      [0, 14],
      [1, 15],
    ] as const)
      accounting.countLoad(headerOf({ publisher: 7, dpRank, sequence }), 1);
    expect(accounting.takeGaps().map(({ from, to }) => [from, to])).toEqual([
      [11, 11],
      [13, 13],
    ]);
  });

  it('more sequences than can be told apart - are not judged, unless they are one', () => {
    const [apart, together] = [new LoadAccounting(), new LoadAccounting()];
    for (let dpRank = 0; dpRank <= MAX_RUNS + 1; dpRank += 1) {
      apart.countLoad(headerOf({ publisher: 7, dpRank, sequence: 1000 - dpRank }), 1);
      together.countLoad(headerOf({ publisher: 7, dpRank, sequence: 1000 + dpRank }), 1);
    }
    expect(apart.takeNotAccountable()?.reason).toBe('too-many-sequences');
    expect(together.snapshot()).toMatchObject({
      sequences: { missing: 0 },
      publishers: { notAccountable: 0 },
    });
  });

  it('a message without a payload - continues a run, and makes a publisher not accountable if it may be of several', () => {
    const accounting = new LoadAccounting();
    const sendLoads = (...numbers: readonly (readonly [dpRank: number, sequence: number])[]): void => {
      for (const [dpRank, sequence] of numbers)
        accounting.countLoad(headerOf({ publisher: 7, dpRank, sequence }), 1);
    };
    sendLoads([0, 50], [1, 5], [0, 51]);
    accounting.countFailure('wrong-type', 1, headerWithoutLoad({ publisher: 7, sequence: 6 }));
    sendLoads([1, 7], [0, 52]);
    expect(accounting.snapshot()).toMatchObject({
      sequences: { missing: 0 },
      publishers: { notAccountable: 0 },
    });
    accounting.countFailure('wrong-type', 1, headerWithoutLoad({ publisher: 7, sequence: 30 }));
    expect(accounting.takeNotAccountable()?.reason).toBe('undecodable');
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
