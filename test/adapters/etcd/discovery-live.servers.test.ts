import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ConfigChange, InstanceChange } from '../../../src/core/pipeline/monitor-sources.js';
import type { Problem } from '../../../src/core/sources/problem.js';
import { workerIdFromHex } from '../../../src/core/worker-id.js';
import { MemoryMessages } from '../../../src/core/sources/message-source.js';
import { dynamoFleet } from '../../../src/fleet/dynamo-fleet.js';
import { describeWith } from '../../support/describe-with.js';
import { modelCard } from '../../support/discovery.js';
import { startEtcd, type EtcdServer } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';

describeWith('etcd', 'dynamoFleet against a real etcd', () => {
  let server: EtcdServer;
  const discover = (hosts: string, namespace: string) =>
    dynamoFleet({ etcd: hosts, events: new MemoryMessages(), namespace });
  beforeAll(async () => {
    server = await startEtcd();
  });
  afterAll(() => server.stop());

  const generate = 'ns1/backend/generate';
  const register = async (blocks: number): Promise<{ hex: string; lease: string }> => {
    const lease = await server.gateway.grant(600);
    const hex = BigInt(lease).toString(16);
    await server.gateway.put(`v1/instances/${generate}/${hex}`, '{}', lease);
    await server.gateway.put(`v1/mdc/${generate}/${hex}`, JSON.stringify(modelCard(blocks)), lease);
    return { hex, lease };
  };

  it('a worker joins, its card becomes invalid and valid again, and its lease ends', async () => {
    const fleet = discover(server.url, 'ns1');
    const [configs, instances, problems]: [ConfigChange[], InstanceChange[], Problem[]] = [[], [], []];
    const run = fleet
      .pool({ endpoint: 'backend.generate' })
      .configs$.subscribe((change) => configs.push(change));
    run.add(
      fleet.pool({ endpoint: 'backend.generate' }).instances$.subscribe((change) => instances.push(change)),
    );
    run.add(fleet.problems$.subscribe((problem) => problems.push(problem)));
    await eventually(() => configs.length === 1);
    expect([configs.splice(0), instances.splice(0)]).toEqual([[new Map()], [new Set()]]);

    await server.gateway.put('v1/instances/ns10/backend/generate/1', '{}');
    const { hex, lease } = await register(100);
    const workerId = workerIdFromHex(hex);
    await eventually(() => configs.length === 1);
    expect(instances.splice(0)).toEqual([{ workerId, present: true }]);
    expect(configs.splice(0)).toEqual([{ workerId, config: { totalKvBlocks: 100 } }]);

    await server.gateway.put(`v1/mdc/${generate}/${hex}`, 'no JSON', lease);
    await server.gateway.put(`v1/mdc/${generate}/${hex}`, '', lease);
    await eventually(() => problems.reduce((sum, { count }) => sum + count, 0) === 2);
    await server.gateway.put(`v1/mdc/${generate}/${hex}`, JSON.stringify(modelCard(200)), lease);
    await eventually(() => configs.length === 1);
    expect(configs.splice(0)).toEqual([{ workerId, config: { totalKvBlocks: 200 } }]);

    await server.gateway.revoke(lease);
    await eventually(() => configs.length === 1 && instances.length === 1);
    expect(instances).toEqual([{ workerId, present: false }]);
    expect(configs).toEqual([{ workerId, config: null }]);
    run.unsubscribe();
  });

  it('several keys of one transaction arrive in one turn', async () => {
    const fleet = discover(server.url, 'ns2');
    const ids = Array.from({ length: 50 }, (_, n) => (0x1000 + n).toString(16));
    for (const hex of ids) await server.gateway.put(`v1/instances/ns2/backend/generate/${hex}`, '{}');
    const changes: InstanceChange[] = [];
    const turns = new Set<number>();
    let turn = 0;
    const run = fleet.pool({ endpoint: 'backend.generate' }).instances$.subscribe((change) => {
      changes.push(change);
      turns.add(turn);
    });
    await eventually(() => changes.length === 1);
    expect(changes.splice(0)).toEqual([new Set(ids.map((hex) => workerIdFromHex(hex)))]);
    turns.clear();
    const clock = setInterval(() => (turn += 1), 0);
    await server.gateway.deletePrefix('v1/instances/ns2/');
    await eventually(() => changes.length === ids.length);
    clearInterval(clock);
    expect(changes).toEqual(ids.map((hex) => ({ workerId: workerIdFromHex(hex), present: false })));
    expect(turns.size).toBe(1);
    run.unsubscribe();
  });

  it('after history was lost there is one snapshot, which contains the workers that stayed', async () => {
    await using proxy = await startFaultProxy({ to: server.port });
    const fleet = discover(`http://127.0.0.1:${proxy.port}`, 'ns1');
    const workers = [await register(1), await register(2), await register(3)];
    const [first, second, third] = workers.map(({ hex }) => workerIdFromHex(hex));
    const changes: InstanceChange[] = [];
    const run = fleet
      .pool({ endpoint: 'backend.generate' })
      .instances$.subscribe((change) => changes.push(change));
    await eventually(() => changes.length === 1);
    expect(changes.splice(0)).toEqual([new Set([first, second, third])]);

    await proxy.refuse(true);
    proxy.cut();
    await server.gateway.revoke(workers[0]?.lease ?? '');
    await server.gateway.revoke(workers[1]?.lease ?? '');
    const fourth = workerIdFromHex((await register(4)).hex);
    const stays = `v1/instances/${generate}/${workers[2]?.hex}`;
    await server.gateway.delete(stays);
    await server.gateway.compact(await server.gateway.put(stays, '{}'));
    await proxy.heal();
    await eventually(() => changes.length > 0);
    expect(changes).toEqual([new Set([third, fourth])]);
    run.unsubscribe();
  });
});
