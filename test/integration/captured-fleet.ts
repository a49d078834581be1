import { setImmediate as turn } from 'node:timers/promises';
import { VirtualTimeScheduler } from 'rxjs';
import type { Verdict } from '../../src/core/judgement/verdict.js';
import { policies } from '../../src/core/policy/policies.js';
import type { LoadThresholdUpdate } from '../../src/core/policy/load-thresholds.js';
import { MemoryKeys } from '../../src/core/sources/key-source.js';
import { MemoryMessages } from '../../src/core/sources/message-source.js';
import type { WorkerId } from '../../src/core/worker-id.js';
import { dynamoFleet } from '../../src/fleet/dynamo-fleet.js';
import { FleetPools } from '../../src/fleet/pools/fleet-pools.js';
import { forEachPool } from '../../src/fleet/pools/pools.js';
import { listWorkerIds } from '../../src/service/queries/list-workers.js';
import {
  capturedEntries,
  capturedMessages,
  type CapturedEntry,
  type CapturedMessage,
} from '../wire/captures.js';

/** All workers that a release registered during its captures, and all messages on its event plane. */
export interface CapturedFleet {
  readonly keys: readonly CapturedEntry[];
  readonly messages: readonly CapturedMessage[];
}

export function capturedFleet(release: string): CapturedFleet {
  const listed = capturedEntries().filter(
    (entry) => entry.release === release && entry.file.endsWith('/etcd.jsonl'),
  );
  return {
    keys: [...new Map(listed.map((entry) => [entry.key, entry])).values()],
    messages: capturedMessages().filter((message) => message.release === release),
  };
}

type ByWorker = Readonly<Record<string, readonly string[]>>;

/**
 * Sorts the sentences of transitions by worker. In a batch of loads, the pools take their rows one after the other, so only
 * the order within a pool is that of the messages.
 */
export function transitionsByWorker(
  transitions: readonly { readonly workerId?: unknown; readonly text?: unknown }[],
): ByWorker {
  const byWorker: Record<string, string[]> = {};
  for (const { workerId, text } of transitions) (byWorker[String(workerId)] ??= []).push(String(text));
  return byWorker;
}

/** What a watcher of a fleet says about it. */
export interface Judged {
  /** All workers. */
  readonly workers: readonly string[];
  /** The workers of the pools, with model, endpoint and verdict, sorted. */
  readonly members: readonly string[];
  /** The sentences of each worker's transitions, in order. */
  readonly transitions: ByWorker;
  /** The number of loads. */
  readonly loads: number;
}

export function memberText(model: string, endpoint: string, workerId: string, busy: boolean): string {
  return `${model} at ${endpoint}: ${workerId} is ${busy ? 'busy' : 'free'}`;
}

/** What the library says about a captured fleet, without servers. */
export async function judgedInMemory(
  { keys, messages }: CapturedFleet,
  thresholds: LoadThresholdUpdate,
): Promise<Judged> {
  const [discovery, events] = [new MemoryKeys(), new MemoryMessages()];
  const scheduler = new VirtualTimeScheduler();
  const fleet = dynamoFleet({ discovery, events, scheduler });
  const pools = new FleetPools(fleet, { policy: policies.default, thresholds, scheduler });
  const transitions: Verdict[] = [];
  const workers = new Set<WorkerId>();
  let loads = 0;
  const running = fleet.pool().instances$.subscribe((change) => {
    if ('workerId' in change) workers.add(change.workerId);
  });
  running.add(
    forEachPool(pools, ({ monitor }) => monitor.transitions$).subscribe(({ verdict }) =>
      transitions.push(verdict),
    ),
  );
  running.add(fleet.loads$.subscribe(() => (loads += 1)));
  running.add(pools.run());
  discovery.apply(keys.map(({ key, value, lease }) => ({ key, value, lease })));
  // A pool appears after the turn in which its first worker does.
  await turn();
  for (const { subject, payload } of messages) events.publish(subject, payload);
  const members = pools.list().flatMap(({ name: { model, endpoint }, monitor }) => {
    const busy = monitor.snapshot()?.busy;
    return listWorkerIds(monitor).map((id) =>
      memberText(model, Object.values(endpoint).join('.'), id, busy?.has(id) === true),
    );
  });
  running.unsubscribe();
  return {
    workers: [...workers].sort(),
    members: members.sort(),
    transitions: transitionsByWorker(transitions),
    loads,
  };
}
