import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { workerId } from '../../../src/core/worker-id.js';
import { instanceKey, modelKey } from '../../../src/dynamo/discovery/discovery-keys.js';
import {
  encodeInstanceRecord,
  encodeModelRecord,
} from '../../../src/wire/discovery/encode-discovery-record.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import {
  waitForLeaseExpiry,
  modelCard,
  waitUntilNoKeys,
  keysIn,
  endpointName,
  Registered,
  waitForKeyCount,
  transport,
} from './registered.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';

describeWith('etcd', 'registerWorker', () => {
  it.concurrent.each(['1.0', '1.6'] as const)(
    'writes the keys and bytes of Dynamo %s under its lease',
    async (release) => {
      await using setup = await startEtcdBehindProxy();
      using worker = new Registered(setup, { card: modelCard, release }, { keyPrefix: 'fleet/' });
      const { workerId: id } = await worker.until('registered');
      if (id === null) throw new Error('registered without an id');
      const at = { ...endpointName, instanceId: id };
      const stored = await setup.server.gateway.get('');
      expect(stored.map(({ key, value, lease }) => [key, Buffer.from(value).toString(), lease])).toEqual(
        [
          [`fleet/${instanceKey(at)}`, encodeInstanceRecord({ ...at, transport }, { release })],
          [`fleet/${modelKey(at)}`, encodeModelRecord({ ...at, ...modelCard }, { release })],
        ].map(([key, value]) => [key, Buffer.from(value as Uint8Array).toString(), id]),
      );
      expect(worker.states).toEqual(['connecting', 'registered']);
    },
  );

  it.concurrent(
    'takes the id that it is given, and stays longer than its lease without being asked',
    async () => {
      await using setup = await startEtcdBehindProxy();
      using worker = new Registered(setup, { workerId: workerId('7587888') });
      await worker.until('registered');
      await waitForLeaseExpiry(setup);
      expect(await keysIn(setup)).toEqual([
        instanceKey({ ...endpointName, instanceId: workerId('7587888') }),
      ]);
      expect(worker.states).toEqual(['connecting', 'registered']);
    },
  );

  it.concurrent('removes its keys after stop$, and reports its end', async () => {
    await using setup = await startEtcdBehindProxy();
    const stop$ = new Subject<void>();
    using worker = new Registered(setup, { card: modelCard, stop$ });
    await worker.until('registered');
    stop$.next();
    await worker.until('ended');
    expect(await keysIn(setup)).toEqual([]);
    expect(worker.ended).toBe(true);
    expect(worker.states).toEqual(['connecting', 'registered', 'ended']);
    expect(stop$.observed).toBe(false);
    await eventually(() => setup.proxy.connections === 0);
  });

  it.concurrent('ends at once when it is stopped while the server is down', async () => {
    await using setup = await startEtcdBehindProxy();
    await setup.proxy.refuse(true);
    const stop$ = new Subject<void>();
    using worker = new Registered(setup, { stop$ });
    await eventually(() => worker.reasons.includes('ECONNREFUSED'));
    stop$.next();
    expect(worker.states).toEqual(['connecting', 'ended']);
    expect(worker.ended).toBe(true);
  });

  it.concurrent('removes its keys after unsubscription, long before its lease expires', async () => {
    await using setup = await startEtcdBehindProxy();
    using worker = new Registered(setup, { ttlSeconds: 600 });
    await worker.until('registered');
    worker.subscription.unsubscribe();
    await waitUntilNoKeys(setup);
    await eventually(() => setup.proxy.connections === 0);
  });

  it.concurrent('reports why its lease was lost, and registers again under the same id', async () => {
    await using setup = await startEtcdBehindProxy();
    using worker = new Registered(setup, { card: modelCard });
    const { workerId: id } = await worker.until('registered');
    await setup.server.gateway.revoke(id ?? '');
    const { statusCount } = worker;
    const { why, workerId: still } = await worker.until('down', statusCount);
    // Either can be detected first.
    expect(why).toMatch(
      /the lease has expired, and its keys were removed|another process removed or replaced the keys/,
    );
    expect(still).toBe(id);
    expect((await worker.until('registered', statusCount)).workerId).toBe(id);
    expect(await keysIn(setup)).toHaveLength(2);
    expect((await setup.server.gateway.get('')).map(({ lease }) => lease)).toEqual([id, id]);
  });

  it.concurrent('writes removed keys again', async () => {
    await using setup = await startEtcdBehindProxy();
    using worker = new Registered(setup, { card: modelCard });
    const { workerId: id } = await worker.until('registered');
    await setup.server.gateway.deletePrefix('v1/instances/');
    await waitForKeyCount(setup, 2);
    expect((await setup.server.gateway.get('')).map(({ lease }) => lease)).toEqual([id, id]);
    expect(worker.reasons).toContain('another process removed');
  });

  it.concurrent(
    'with the id of another process says so, goes on trying, and takes over when that one is gone',
    async () => {
      await using setup = await startEtcdBehindProxy();
      using one = new Registered(setup, { workerId: workerId('77') });
      await one.until('registered');
      const key = instanceKey({ ...endpointName, instanceId: workerId('77') });
      const before = await setup.server.gateway.get(key);
      using two = new Registered(setup, { workerId: workerId('77') });
      await eventually(() => two.reasons.trim() !== '');
      expect(two.reasons).toMatch(/granting a lease: the lease 77 already exists: another process/);
      expect(two.states).toEqual(['connecting']);
      expect(await setup.server.gateway.get(key)).toEqual(before);
      one.subscription.unsubscribe();
      await two.until('registered');
      expect(await keysIn(setup)).toEqual([key]);
    },
  );

  it.concurrent('keeps its keys while the server restarts and while connections are lost', async () => {
    await using setup = await startEtcdBehindProxy();
    using worker = new Registered(setup, { ttlSeconds: 4 });
    const { workerId: id } = await worker.until('registered');
    const [before] = await setup.server.gateway.get('v1/');
    const { statusCount } = worker;
    await setup.server.kill();
    await worker.until('down', statusCount);
    await setup.server.restart();
    await worker.until('registered', statusCount);
    setup.proxy.cut();
    await setup.server.gateway.put('elsewhere', 'x');
    const [after] = await setup.server.gateway.get('v1/');
    // The same key, written once.
    expect(after).toEqual(before);
    expect(worker.states.slice(0, 4)).toEqual(['connecting', 'registered', 'down', 'registered']);
    expect(after?.lease).toBe(id);
  });

  it.concurrent('writes its keys again into a replaced store', async () => {
    await using setup = await startEtcdBehindProxy();
    using worker = new Registered(setup);
    const { workerId: id } = await worker.until('registered');
    await setup.server.wipe();
    await waitForKeyCount(setup, 1);
    expect((await setup.server.gateway.get(''))[0]?.lease).toBe(id);
  });
});
