import type { Subscription } from 'rxjs';
import type { EtcdOptions } from '../../../src/adapters/etcd/etcd-options.js';
import {
  registerWorker,
  type RegisterWorkerOptions,
  type WorkerStatus,
} from '../../../src/fleet/register-worker.js';
import { eventually } from '../../support/eventually.js';
import type { EtcdBehindProxy } from './etcd-behind-proxy.js';

export const endpointName = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };
export const transport = { kind: 'tcp', address: '10.0.0.5:41000/generate' } as const;
export const modelCard = { model: 'tiny', runtimeConfig: { totalKvBlocks: 1_000 } };

/** A registered worker and its statuses. */
export class Registered implements Disposable {
  readonly statuses: WorkerStatus[] = [];
  ended = false;
  readonly subscription: Subscription;

  constructor(
    setup: EtcdBehindProxy,
    options: Omit<Partial<RegisterWorkerOptions>, 'etcd'> = {},
    etcd: Omit<EtcdOptions, 'hosts'> = {},
  ) {
    this.subscription = registerWorker({
      etcd: { hosts: setup.hosts, ...etcd },
      ...endpointName,
      transport,
      release: '1.6',
      ttlSeconds: 2,
      ...options,
    }).subscribe({ next: (status) => this.statuses.push(status), complete: () => (this.ended = true) });
  }

  get states(): string[] {
    const states = this.statuses.map(({ state }) => state);
    return states.filter((state, at) => state !== states[at - 1]);
  }

  get reasons(): string {
    return this.statuses.map(({ why = '' }) => why).join('\n');
  }

  get statusCount(): number {
    return this.statuses.length;
  }

  until(state: WorkerStatus['state'], from = 0): Promise<WorkerStatus> {
    return eventually(() => {
      const found = this.statuses.slice(from).find((status) => status.state === state);
      if (found === undefined) throw new Error(`not ${state}: ${JSON.stringify(this.statuses.at(-1))}`);
      return found;
    });
  }

  [Symbol.dispose](): void {
    this.subscription.unsubscribe();
  }
}

export const keysIn = async (setup: EtcdBehindProxy): Promise<string[]> =>
  (await setup.server.gateway.get('')).map(({ key }) => key);
export const waitUntilNoKeys = (setup: EtcdBehindProxy): Promise<unknown> =>
  eventually(async () => (await keysIn(setup)).length === 0);
export const waitForKeyCount = (setup: EtcdBehindProxy, count: number): Promise<unknown> =>
  eventually(async () => (await keysIn(setup)).length === count);

/** Waits until a new lease without keep-alives has expired in etcd. */
export async function waitForLeaseExpiry(setup: EtcdBehindProxy, ttlSeconds = 2): Promise<void> {
  const { gateway } = setup.server;
  await gateway.put('witness', 'x', await gateway.grant(ttlSeconds));
  await eventually(async () => (await gateway.get('witness')).length === 0);
}
