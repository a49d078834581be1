import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';
import { fasterScheduler } from './schedulers.js';

describeWith('etcd', 'a server without a majority', () => {
  it.concurrent('a watch that was live is down, and no watch becomes live', async () => {
    await using setup = await startEtcdBehindProxy();
    const scheduler = fasterScheduler(4);
    using before = setup.record({ scheduler });
    await before.until('live');
    await setup.writer.put('v1/a', 'x');
    await before.receivesAll(setup.writer);
    await setup.writer.gateway.addMember(`http://127.0.0.1:${await freePort()}`);
    const { statusCount } = before;
    await before.until('down', statusCount);
    using after = setup.record({ scheduler });
    await after.until('down');
    await eventually(() => before.statusCount > statusCount + 2 && after.statusCount > 3);
    for (const { statuses } of [before, after])
      expect(statuses.at(-1)?.why).toContain(`etcd at ${setup.hosts}`);
    expect(before.statuses.slice(statusCount).map(({ state }) => state)).not.toContain('live');
    expect(after.statuses.map(({ state }) => state)).not.toContain('live');
    expect(after.kinds).toEqual([]);
  });
});
