import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { watchPrefix } from '../../../src/adapters/etcd/watch-prefix.js';
import { workerId } from '../../../src/core/worker-id.js';
import { instanceKey } from '../../../src/dynamo/discovery/discovery-keys.js';
import { encodeInstanceRecord } from '../../../src/wire/discovery/encode-discovery-record.js';
import { startEtcd } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';

const BURST = 50;

/** Measures the time and the memory to list and to watch a number of workers. */
export async function measureWorkers(count: number): Promise<string> {
  await using server = await startEtcd();
  const { gateway } = server;
  const record = (at: number): { key: string; value: Uint8Array } => {
    const name = {
      namespace: 'dynamo',
      component: 'backend',
      endpoint: 'generate',
      instanceId: workerId(String(at)),
    };
    const transport = { kind: 'tcp' as const, address: `10.0.0.1:${at}/generate` };
    return {
      key: instanceKey(name),
      value: encodeInstanceRecord({ ...name, transport }, { release: '1.6' }),
    };
  };
  const writeAll = async (): Promise<void> => {
    for (let from = 1; from <= count; from += BURST) {
      const until = Math.min(count, from + BURST - 1);
      await Promise.all(
        Array.from({ length: until - from + 1 }, (_, i) => {
          const { key, value } = record(from + i);
          return gateway.put(key, value);
        }),
      );
    }
  };
  await writeAll();
  const heapBefore = await settledHeap();
  const startedAt = performance.now();
  let [listed, received, listMs] = [0, 0, 0];
  const { changes$ } = watchPrefix({ hosts: server.url, prefixes: 'v1/' });
  const subscription = changes$.subscribe(({ kind, changes }) => {
    if (kind === 'changes') received += changes.length;
    else {
      listed += changes.length;
      listMs = performance.now() - startedAt;
    }
  });
  await eventually(() => listed === count, 60_000);
  const heapListed = await settledHeap();
  const changing = performance.now();
  await writeAll();
  const written = performance.now();
  await eventually(() => received === count, 60_000);
  const receivedAt = performance.now();
  // The memory of the changes is free again, except for the state of the keys.
  const heapChanged = await settledHeap();
  subscription.unsubscribe();
  const heapAfter = await settledHeap();
  const mb = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  return [
    `${count} workers listed in ${listMs.toFixed(0)} ms, ${mb(heapListed - heapBefore)} of heap`,
    `${count} changes written in ${(written - changing).toFixed(0)} ms, the last one received ` +
      `${(receivedAt - written).toFixed(0)} ms later, ${mb(heapChanged - heapBefore)} of heap`,
    `after the end ${mb(heapAfter - heapBefore)}`,
    '',
  ].join('\n');
}

async function settledHeap(): Promise<number> {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round += 1) {
    await sleep(50);
    collect();
  }
  return process.memoryUsage().heapUsed;
}
