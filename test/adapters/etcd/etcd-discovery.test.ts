import { merge, NEVER, of } from 'rxjs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { etcdDiscovery } from '../../../src/adapters/etcd/etcd-discovery.js';
import type { PrefixBatch } from '../../../src/adapters/etcd/etcd-link.js';
import { runPrefixWatch } from '../../../src/adapters/etcd/watch-prefix.js';
import { loadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import { policies } from '../../../src/core/policy/policies.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import { workerId } from '../../../src/core/worker-id.js';
import { fakeSource, type FakeSource } from '../../../src/testing/fakes/fake-source.js';
import { readCapturedEtcd } from '../../dynamo/discovery/captured-etcd.js';

vi.mock('../../../src/adapters/etcd/watch-prefix.js', { spy: true });

const live: SourceStatus = { source: 'discovery', state: 'live', since: 0 };

describe('etcdDiscovery', () => {
  let batches: FakeSource<PrefixBatch>;
  beforeEach(() => {
    batches = fakeSource();
    vi.mocked(runPrefixWatch).mockReset();
    vi.mocked(runPrefixWatch).mockReturnValue(merge(of(live), batches.source$));
  });

  it('watches the prefixes of its namespace, with the options of the connection', () => {
    const auth = { username: 'reader', password: 'secret' };
    etcdDiscovery({ hosts: 'h:1', namespace: 'a.b', auth, keyPrefix: 'x/' });
    expect(runPrefixWatch).toHaveBeenCalledExactlyOnceWith({
      hosts: 'h:1',
      auth,
      keyPrefix: 'x/',
      source: 'discovery',
      prefixes: ['v1/instances/a.b/', 'v1/mdc/a.b/', 'instances/a.b/', 'models/'],
    });
  });

  it('watches all roots without a namespace, and rejects an invalid one', () => {
    etcdDiscovery({ hosts: 'h:1' });
    expect(vi.mocked(runPrefixWatch).mock.lastCall?.[0].prefixes).toEqual([
      'v1/instances/',
      'v1/mdc/',
      'instances/',
      'models/',
    ]);
    for (const namespace of ['', 'a/b'])
      expect(() => etcdDiscovery({ hosts: 'h:1', namespace })).toThrow(
        expect.objectContaining({ code: 'scope' }) as Error,
      );
  });

  it('opens nothing before the first subscription, and passes the status on', () => {
    const fleet = etcdDiscovery({ hosts: 'h:1' });
    expect(batches.subscribed).toBe(0);
    const statuses: SourceStatus[] = [];
    const configs = fleet.configs$.subscribe();
    const status = fleet.status$.subscribe((next) => statuses.push(next));
    expect(statuses).toEqual([live]);
    expect([batches.open, batches.subscribed]).toEqual([1, 1]);
    configs.unsubscribe();
    status.unsubscribe();
    expect(batches.open).toBe(0);
  });

  it('feeds a monitor: a captured fleet, seen through all its stages', () => {
    const store = readCapturedEtcd().find(({ release }) => release === '1.6.1') ?? expect.fail();
    const fleet = etcdDiscovery({ hosts: 'h:1', namespace: 'dynamo' });
    const monitor = loadMonitor(
      {
        configs: fleet.configs('backend.generate'),
        decodeInstances: fleet.instances('backend.generate'),
        loads: NEVER,
        status: [fleet.status$],
      },
      { policy: policies.default, thresholds: { activeDecodeBlocksThreshold: 0.5 } },
    );
    monitor.connect();
    batches.next({ kind: 'snapshot', revision: '0', changes: [] });
    const seen = store.stages.map(({ revision, stage }, at) => {
      const after = store.stages[at - 1]?.revision ?? 0;
      for (const { change, revision: mod } of store.events) {
        if (mod <= after || mod > revision) continue;
        const { key, value, lease = workerId('0') } = change;
        const revisions = { modRevision: `${mod}`, createRevision: `${mod}` };
        batches.next({
          kind: 'changes',
          revision: `${mod}`,
          changes: [
            value === undefined
              ? { kind: 'delete', key, modRevision: `${mod}` }
              : { kind: 'put', key, value, lease, ...revisions },
          ],
        });
      }
      const counts = monitor.snapshot()?.fleet;
      return `${counts?.known} known, ${counts?.instances} present: ${stage.split(/[,(:]/)[0]?.trim()}`;
    });
    monitor.stop();
    expect(batches.open).toBe(0);
    expect(seen).toEqual([
      '0 known, 0 present: empty',
      '1 known, 1 present: worker-1 up',
      '2 known, 2 present: worker-2 up',
      '2 known, 2 present: worker-3 up',
      '2 known, 2 present: worker-1 has a LoRA card too',
      '2 known, 2 present: LoRA card removed',
      '1 known, 1 present: worker-1 endpoint unregistered',
      '2 known, 2 present: worker-1 endpoint registered again',
      '1 known, 1 present: worker-2 shut down cleanly',
      '1 known, 1 present: worker-1 killed',
      '0 known, 0 present: worker-1 lease expired',
      '0 known, 0 present: all gone',
    ]);
  });
});
