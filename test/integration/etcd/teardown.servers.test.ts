import { expect, it } from 'vitest';
import { registerWorker } from '../../../src/fleet/register-worker.js';
import { watchPrefix } from '../../../src/adapters/etcd/watch-prefix.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { openHandles, type OpenHandles } from '../../support/open-handles.js';
import { sharedEtcdBehindProxy } from './etcd-behind-proxy.js';

/** Rounds of `eventually`, up to 50 ms apart, after which nothing is still closing. */
const CALM_ROUNDS = 15;

/** The open handles, including one timer of `eventually`, once their number is stable. */
async function settledHandles(): Promise<OpenHandles> {
  let [last, calm] = ['', 0];
  return eventually(() => {
    const handles = openHandles();
    const text = JSON.stringify(handles);
    calm = text === last ? calm + 1 : 0;
    last = text;
    if (calm < CALM_ROUNDS) throw new Error(`not settled: ${text}`);
    return handles;
  });
}

/** Waits until this number of handles is open. */
const leaves = (wanted: OpenHandles): Promise<unknown> =>
  eventually(() => expect(openHandles()).toEqual(wanted));

describeWith('etcd', 'resources after teardown', () => {
  it('none after 400 subscriptions that ended at once, while connecting, or live', async () => {
    await using setup = await sharedEtcdBehindProxy();
    const before = await settledHandles();
    const listeners = process.eventNames().map((name) => [name, process.listenerCount(name)]);
    const { status$, changes$ } = watchPrefix({ hosts: setup.hosts, prefixes: 'v1/' });
    for (let round = 0; round < 400; round += 1) {
      let heard = 0;
      const subscription = status$.subscribe(({ state }) => (heard += state === 'live' ? 1 : 0));
      subscription.add(changes$.subscribe());
      // From immediately to after it is live.
      const pauses = round % 8;
      for (let pause = 0; pause < 3 * pauses; pause += 1) await new Promise(setImmediate);
      if (pauses === 7) await eventually(() => heard > 0);
      subscription.unsubscribe();
    }
    await eventually(() => setup.proxy.connections === 0);
    await leaves(before);
    expect(process.eventNames().map((name) => [name, process.listenerCount(name)])).toEqual(listeners);
  });

  it('none after 100 registrations that ended at once, while connecting, or registered', async () => {
    await using setup = await sharedEtcdBehindProxy();
    const before = await settledHandles();
    for (let round = 0; round < 100; round += 1) {
      let state = '';
      const subscription = registerWorker({
        etcd: setup.hosts,
        namespace: 'n',
        component: 'c',
        endpoint: 'e',
        transport: { kind: 'tcp', address: '127.0.0.1:1/e' },
        release: '1.6',
        ttlSeconds: 600,
      }).subscribe((status) => (state = status.state));
      const stage = round % 8;
      for (let pause = 0; pause < 4 * stage; pause += 1) await new Promise(setImmediate);
      if (stage === 7) await eventually(() => state === 'registered');
      subscription.unsubscribe();
    }
    await eventually(async () => (await setup.server.gateway.get('')).length === 0);
    await eventually(() => setup.proxy.connections === 0);
    await leaves(before);
  });

  it('none after an unsubscription while the server is silent', async () => {
    await using setup = await sharedEtcdBehindProxy();
    const before = await settledHandles();
    using recorder = setup.record();
    await recorder.until('live');
    setup.proxy.halfOpen('both');
    recorder[Symbol.dispose]();
    // The two remaining ones belong to the proxy, which does not notice the close.
    await leaves({ ...before, sockets: before.sockets + 2 });
    await setup.proxy.heal();
    await eventually(() => setup.proxy.connections === 0);
  });
});
