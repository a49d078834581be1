import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { fasterScheduler } from './schedulers.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';
import type { PrefixRecorder } from './prefix-recorder.js';

/** Since a status, the watch was down, and then live without interruption. */
function expectOneInterruption({ statuses }: PrefixRecorder, since: number): void {
  const [live, ...down] = statuses
    .slice(since)
    .map(({ state }) => state)
    .reverse();
  expect(live).toBe('live');
  expect(new Set(down)).toEqual(new Set(['down']));
}

describeWith('etcd', 'lost history', () => {
  it.concurrent(
    'compacted while the connection was down: the difference is reported as a resync',
    async () => {
      await using setup = await startEtcdBehindProxy();
      using recorder = setup.record();
      await recorder.until('live');
      await setup.writer.writeMany('v1/', 7);
      await recorder.receivesAll(setup.writer);
      await setup.proxy.refuse(true);
      setup.proxy.cut();
      await setup.writer.writeMany('v1/', 30);
      await setup.writer.gateway.compact(await setup.writer.put('v1/last', 'x'));
      await setup.proxy.refuse(false);
      await recorder.matches(setup.writer, 'v1/');
      expect(recorder.kinds.at(-1)).toBe('resync');
      expect(recorder.reasons).toContain('has compacted the changes');
      await recorder.until('live', recorder.statusCount - 1);
      const { length } = recorder.changes;
      await setup.writer.put('v1/after', 'x');
      await eventually(() => recorder.changes.length > length);
      expect(recorder.changes.slice(length)).toEqual(setup.writer.written.slice(-1));
    },
  );

  it.concurrent(
    'compacted below several prefixes while the connection was down: one interruption and one resync',
    async () => {
      await using setup = await startEtcdBehindProxy();
      const prefixes = ['a/', 'b/', 'c/'];
      using recorder = setup.record({ prefixes });
      for (const prefix of prefixes) await setup.writer.put(`${prefix}1`, 'x');
      await recorder.until('live');
      await eventually(() => recorder.present.size === 3);
      const { statusCount } = recorder;
      await setup.proxy.refuse(true);
      setup.proxy.cut();
      await setup.writer.delete('a/1');
      await setup.writer.writeMany('b/', 12);
      await setup.writer.gateway.compact(await setup.writer.put('elsewhere', 'x'));
      await setup.writer.put('b/after', 'x');
      await setup.proxy.refuse(false);
      await recorder.until('live', statusCount);
      await eventually(() => recorder.present.has('b/after'));
      for (const prefix of prefixes) await setup.writer.put(`${prefix}last`, 'x');
      await eventually(() => prefixes.every((prefix) => recorder.present.has(`${prefix}last`)));
      expectOneInterruption(recorder, statusCount);
      expect(
        recorder.statuses.filter(({ why = '' }) => why.includes('has compacted the changes')),
      ).toHaveLength(1);
      expect(recorder.resyncs).toBe(1);
      expect(recorder.present.has('a/1')).toBe(false);
    },
  );

  it.concurrent('compacted while it was live and idle: no change is missed', async () => {
    await using setup = await startEtcdBehindProxy();
    using recorder = setup.record();
    await recorder.until('live');
    await setup.writer.writeMany('v1/', 3);
    // Other keys change, so that the revision of the prefix becomes old.
    for (let at = 0; at < 20; at += 1) await setup.writer.gateway.put('elsewhere', `${at}`);
    await setup.writer.gateway.compact(await setup.writer.gateway.put('elsewhere', 'x'));
    const { statusCount } = recorder;
    setup.proxy.cut();
    await recorder.until('down', statusCount);
    await recorder.until('live', statusCount);
    await setup.writer.writeMany('v1/', 3);
    await recorder.matches(setup.writer, 'v1/');
    expect(recorder.changes).toEqual(setup.writer.written);
    expectOneInterruption(recorder, statusCount);
    // No change of the prefix was lost.
    expect(recorder.resyncs).toBe(0);
  });

  it.concurrent(
    'a deletion at the very revision of a compaction, which etcd 3.4 loses: found by the audit',
    async () => {
      await using setup = await startEtcdBehindProxy();
      using recorder = setup.record({ scheduler: fasterScheduler(4) });
      await recorder.until('live');
      await setup.writer.put('v1/stays', 'x');
      await setup.writer.put('v1/goes', 'x');
      await recorder.receivesAll(setup.writer);
      await setup.proxy.refuse(true);
      setup.proxy.cut();
      const deletion = await setup.writer.delete('v1/goes');
      await setup.writer.gateway.compact(deletion);
      await setup.proxy.refuse(false);
      await recorder.matches(setup.writer, 'v1/');
      // The watch itself detected nothing.
      expect(recorder.reasons).not.toContain('compacted');
      expect(recorder.kinds.at(-1)).toBe('resync');
    },
  );

  it.concurrent.each([
    ['replayed', false],
    ['reported as a difference after a compaction', true],
  ])('5 leases that ran out while the connection was down: %s', async (_, compacted) => {
    await using setup = await startEtcdBehindProxy();
    using recorder = setup.record();
    await recorder.until('live');
    const leases = await Promise.all(Array.from({ length: 5 }, () => setup.writer.gateway.grant(1)));
    for (const lease of leases) await setup.writer.put(`v1/${lease}`, 'x', lease);
    await setup.writer.put('v1/stays', 'x');
    await recorder.receivesAll(setup.writer);
    await setup.proxy.refuse(true);
    setup.proxy.cut();
    await eventually(async () => (await setup.writer.gateway.get('v1/')).length === 1);
    const last = await setup.writer.put('v1/stays', 'y');
    if (compacted) await setup.writer.gateway.compact(last);
    await setup.proxy.refuse(false);
    await recorder.matches(setup.writer, 'v1/');
    expect(recorder.changes.filter((text) => text.startsWith('delete'))).toHaveLength(5);
    expect(recorder.resyncs).toBe(compacted ? 1 : 0);
  });

  it.concurrent.each([
    ['fewer changes than the old one', 3],
    ['more changes than the old one', 60],
  ])('a store that was replaced by one with %s', async (_, count) => {
    await using setup = await startEtcdBehindProxy();
    using recorder = setup.record({ scheduler: fasterScheduler(4) });
    await recorder.until('live');
    await setup.writer.writeMany('v1/', 20);
    await setup.writer.put('v1/old', 'x');
    await recorder.receivesAll(setup.writer);
    await setup.proxy.refuse(true);
    setup.proxy.cut();
    await setup.server.wipe();
    for (let at = 0; at < count; at += 1) await setup.writer.gateway.put(`v1/${at % 9}`, `new ${at}`);
    await setup.proxy.refuse(false);
    await recorder.matches(setup.writer, 'v1/');
    expect(recorder.kinds.at(-1)).toBe('resync');
    await setup.writer.gateway.put('v1/new', 'x');
    await recorder.matches(setup.writer, 'v1/');
    expect([...recorder.present.keys()]).not.toContain('v1/old');
  });

  it.concurrent(
    'a store that was replaced behind a connection that stays open: found by the audit',
    async () => {
      await using setup = await startEtcdBehindProxy();
      using recorder = setup.record({ scheduler: fasterScheduler(4) });
      await recorder.until('live');
      await setup.writer.writeMany('v1/', 20);
      await recorder.receivesAll(setup.writer);
      await setup.server.wipe();
      await setup.writer.gateway.put('v1/new', 'x');
      await recorder.matches(setup.writer, 'v1/');
    },
  );
});
