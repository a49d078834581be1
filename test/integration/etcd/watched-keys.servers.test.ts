import { Buffer } from 'node:buffer';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';

describeWith('etcd', 'watched keys and hosts', () => {
  it.concurrent('several prefixes: one snapshot, and the changes of all, over a restart', async () => {
    await using setup = await startEtcdBehindProxy();
    await setup.writer.put('a/1', 'x');
    await setup.writer.put('b/1', 'x');
    await setup.writer.put('c/1', 'x');
    using recorder = setup.record({ prefixes: ['a/', 'b/'] });
    const { statusCount } = recorder;
    await recorder.until('live', statusCount);
    expect(recorder.kinds).toEqual(['snapshot']);
    expect([...recorder.present.keys()]).toEqual(['a/1', 'b/1']);
    await setup.server.restart();
    await recorder.until('down', statusCount);
    await setup.writer.put('b/2', 'x');
    await setup.writer.put('a/2', 'x');
    await setup.writer.put('c/2', 'x');
    await eventually(() => recorder.present.size === 4);
    expect([...recorder.present.keys()].sort()).toEqual(['a/1', 'a/2', 'b/1', 'b/2']);
    expect(recorder.resyncs).toBe(0);
  });

  it.concurrent('an empty prefix matches every key', async () => {
    await using setup = await startEtcdBehindProxy();
    await setup.writer.put('a', 'x');
    using recorder = setup.record({ prefixes: '' });
    await recorder.until('live');
    await setup.writer.put('b', 'x');
    await recorder.receivesAll(setup.writer);
  });

  it.concurrent('several hosts, one of them dead: the next one is used', async () => {
    await using setup = await startEtcdBehindProxy();
    const dead = `http://127.0.0.1:${await freePort()}`;
    using recorder = setup.record({ hosts: [dead, setup.hosts] });
    await recorder.until('live');
    expect(recorder.reasons).toContain(`etcd at ${dead}`);
    await setup.writer.writeMany('v1/', 3);
    const { statusCount } = recorder;
    setup.proxy.cut();
    await recorder.until('live', statusCount);
    await recorder.receivesAll(setup.writer);
  });

  it.concurrent('keyPrefix is not part of the reported keys', async () => {
    await using setup = await startEtcdBehindProxy();
    await setup.writer.gateway.put('v1/other', 'x');
    await setup.writer.gateway.put('fleet/v1/one', 'x');
    using recorder = setup.record({ keyPrefix: 'fleet/' });
    await recorder.until('live');
    await setup.writer.gateway.put('fleet/v1/two', 'x');
    await setup.writer.gateway.delete('fleet/v1/one');
    await eventually(() => recorder.changes.length === 3);
    expect([...recorder.present.keys()]).toEqual(['v1/two']);
  });

  it.concurrent('keys that are not valid UTF-8 are left out, and other keys are not affected', async () => {
    await using setup = await startEtcdBehindProxy();
    const bytes = (last: number): Buffer => Buffer.from([...Buffer.from('v1/'), last]);
    await setup.writer.gateway.put(bytes(0xff), 'x');
    await setup.writer.gateway.put(bytes(0xfe), 'x');
    await setup.writer.gateway.put('v1/€', 'x');
    using recorder = setup.record();
    await recorder.until('live');
    await setup.writer.gateway.put(bytes(0xfe), 'y');
    await setup.writer.gateway.delete(bytes(0xff));
    await setup.writer.gateway.put('v1/after', 'y');
    await eventually(() => recorder.present.has('v1/after'));
    const { statusCount } = recorder;
    setup.proxy.cut();
    await recorder.until('live', statusCount + 1);
    expect([...recorder.present.keys()]).toEqual(['v1/€', 'v1/after']);
    expect(recorder.changes).toHaveLength(2);
    expect(recorder.resyncs).toBe(0);
  });

  it.concurrent('a value of 1 MB is complete', async () => {
    await using setup = await startEtcdBehindProxy();
    using recorder = setup.record();
    await recorder.until('live');
    await setup.writer.put('v1/large', Buffer.alloc(1_000_000, 7));
    await recorder.receivesAll(setup.writer);
  });

  it.concurrent('more keys than fit in one answer are listed at one revision', async () => {
    await using setup = await startEtcdBehindProxy();
    for (let at = 0; at < 12; at += 1)
      await Promise.all(
        Array.from({ length: 100 }, (_, i) => setup.writer.gateway.put(`v1/${at}/${i}`, 'x')),
      );
    using recorder = setup.record();
    await recorder.until('live');
    await setup.writer.gateway.deletePrefix('v1/7/');
    await recorder.matches(setup.writer, 'v1/');
    expect(recorder.present.size).toBe(1_100);
    expect(recorder.kinds.filter((kind) => kind !== 'changes')).toEqual(['snapshot']);
  });
});
