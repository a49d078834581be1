import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { PrefixBatch } from '../../../src/adapters/etcd/etcd-link.js';
import { shareWatch } from '../../../src/adapters/etcd/watch-prefix.js';
import type { SourceStatus } from '../../../src/core/sources/source-status.js';
import { EtcdModel } from './etcd-model.js';

const put = (...keys: readonly string[]): PrefixBatch['changes'] => {
  const store = new EtcdModel();
  for (const key of keys) store.put(key, key);
  return store.history;
};
const live: SourceStatus = { source: 'etcd', state: 'live', since: 1 };

function setUp() {
  const run$ = new Subject<PrefixBatch | SourceStatus>();
  const heard = (name: string, log: string[]) => (item: PrefixBatch | SourceStatus) =>
    log.push(
      `${name} ${'state' in item ? item.state : `${item.kind} ${item.changes.map(({ key }) => key).join('')} at ${item.revision}`}`,
    );
  return { run$, watch: shareWatch(run$, { keep: true }), heard };
}

describe('sharedWatch', () => {
  it('gives a late subscriber a snapshot at the latest revision first, then changes', () => {
    const { run$, watch, heard } = setUp();
    const log: string[] = [];
    watch.changes$.subscribe(heard('early', log));
    run$.next({ kind: 'snapshot', revision: '7', changes: put('a', 'b') });
    run$.next({ kind: 'changes', revision: '9', changes: [{ kind: 'delete', key: 'a', modRevision: '9' }] });
    run$.next(live);
    watch.changes$.subscribe(heard('late', log));
    watch.status$.subscribe(heard('late', log));
    run$.next({ kind: 'changes', revision: '10', changes: put('c') });
    expect(log).toEqual([
      'early snapshot ab at 7',
      'early changes a at 9',
      'late snapshot b at 9',
      'late live',
      'early changes c at 10',
      'late changes c at 10',
    ]);
  });

  it('gives a late subscriber nothing before the first listing', () => {
    const { run$, watch, heard } = setUp();
    const log: string[] = [];
    watch.status$.subscribe(heard('status', log));
    watch.changes$.subscribe(heard('changes', log));
    expect(log).toEqual([]);
    run$.next({ kind: 'snapshot', revision: '7', changes: [] });
    expect(log).toEqual(['changes snapshot  at 7']);
  });

  it('forgets its state after the last unsubscription', () => {
    const { run$, watch, heard } = setUp();
    const log: string[] = [];
    const [one, two] = [watch.changes$.subscribe(), watch.status$.subscribe()];
    run$.next({ kind: 'snapshot', revision: '7', changes: put('a') });
    run$.next(live);
    one.unsubscribe();
    expect(run$.observed).toBe(true);
    two.unsubscribe();
    expect(run$.observed).toBe(false);
    watch.changes$.subscribe(heard('again', log));
    watch.status$.subscribe(heard('again', log));
    expect(log).toEqual([]);
  });
});
