import { describe, expect, it } from 'vitest';
import { workerId } from '../../../src/core/worker-id.js';
import { workerKeys } from '../../../src/dynamo/publishing/worker-keys.js';
import { decodeDiscoveryRecord } from '../../../src/dynamo/discovery/discovery-record.js';
import {
  ForeignWorkersError,
  SIMULATION_MARK,
  foreignWorkers,
} from '../../../src/fleet/live-simulator/simulation-namespace.js';
import { encodeUtf8 } from '../../../src/wire/text-codecs.js';
import { RELEASES, capturedEntries } from '../../wire/captures.js';

const releases = ['0.6', '1.0', '1.6'] as const;

function keysOf(id: string, release: (typeof releases)[number], userData?: Readonly<Record<string, string>>) {
  return workerKeys({
    ...{ namespace: 'test', component: 'backend', endpoint: 'generate', release },
    transport: { kind: 'tcp', address: '127.0.0.1:9000' },
    moreEndpoints: ['load_metrics'],
    card: { model: 'tiny', runtimeConfig: { totalKvBlocks: 1000 }, ...(userData && { userData }) },
  })(workerId(id));
}

describe('workers that are not simulated', () => {
  it.each(releases)('a worker of %s is simulated if its model card says so', (release) => {
    const simulated = keysOf('7', release, SIMULATION_MARK);
    expect(foreignWorkers(simulated, 'test')).toEqual(new Set());
    expect(foreignWorkers([...simulated, ...keysOf('8', release)], 'test')).toEqual(new Set(['8']));
    expect(foreignWorkers(keysOf('9', release, { simulated_by: 'another' }), 'test')).toEqual(new Set(['9']));
  });

  it.each(releases)('the mark does not change how a card of %s is read', (release) => {
    const [marked, plain] = [SIMULATION_MARK, undefined].map((data) =>
      keysOf('7', release, data).map(decodeDiscoveryRecord),
    );
    expect(marked).toEqual(plain);
  });

  it.each(RELEASES)('every captured worker of %s is found', (release) => {
    const entries = capturedEntries().filter((entry) => entry.release === release && entry.value.length > 0);
    const ids = new Map<string, Set<string>>();
    for (const entry of entries) {
      const record = decodeDiscoveryRecord(entry);
      if (!('kind' in record) || (record.kind !== 'instance' && record.kind !== 'model')) continue;
      const { namespace, instanceId } = record;
      if (namespace === null || instanceId === null) continue;
      ids.set(namespace, (ids.get(namespace) ?? new Set()).add(instanceId));
    }
    expect(ids.size).toBeGreaterThan(0);
    for (const [namespace, expected] of ids) expect(foreignWorkers(entries, namespace)).toEqual(expected);
  });

  it('a worker counts with a card that cannot be read, without a card, and not in another namespace', () => {
    const [instance] = keysOf('7', '1.6');
    const broken = { key: 'v1/mdc/test/backend/generate/8', value: encodeUtf8('{') };
    const keys = [instance ?? broken, broken];
    expect(foreignWorkers(keys, 'test')).toEqual(new Set(['7', '8']));
    expect(foreignWorkers(keys, 'tes')).toEqual(new Set());
    expect(foreignWorkers([{ key: 'other', value: encodeUtf8('{') }], 'test')).toEqual(new Set());
  });

  it('the sentence names the namespace, the number of workers, and what to do', () => {
    expect(new ForeignWorkersError('prod', new Set([workerId('7')])).message).toBe(
      'The namespace "prod" has 1 worker that is not simulated, and simulated workers would mix with it: choose another ' +
        'namespace (--namespace), or simulate there anyway (--force).',
    );
    expect(new ForeignWorkersError('prod', new Set(['7', '8'].map(workerId))).message).toMatch(
      /has 2 workers that are not simulated, and simulated workers would mix with them:/,
    );
  });
});
