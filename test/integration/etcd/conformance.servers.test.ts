import { afterAll, beforeAll, it } from 'vitest';
import { watchPrefix } from '../../../src/adapters/etcd/watch-prefix.js';
import { type KeySourceHarness, keySourceCases } from '../../../src/testing/conformance/key-source-cases.js';
import { describeWith } from '../../support/describe-with.js';
import { startEtcdBehindProxy, type EtcdBehindProxy } from './etcd-behind-proxy.js';

describeWith('etcd', 'conformance of keys in etcd', () => {
  let setup: EtcdBehindProxy | undefined;
  let sources = 0;
  beforeAll(async () => {
    setup = await startEtcdBehindProxy();
  });
  afterAll(() => setup?.[Symbol.asyncDispose]());

  /** The keys below a separate prefix. One is made before the server runs, only to list its cases. */
  const harness = (): KeySourceHarness => {
    sources += 1;
    const prefix = `source-${sources}/`;
    return {
      source: watchPrefix({ hosts: setup?.hosts ?? 'http://127.0.0.1:1', prefixes: prefix }),
      prefix,
      put: (key, value) => setup?.server.gateway.put(key, value),
      remove: (key) => setup?.server.gateway.delete(key),
      open: () => setup?.proxy.connections ?? 0,
      interrupt: async () => {
        await setup?.proxy.refuse(true);
        setup?.proxy.cut();
        return () => setup?.proxy.refuse(false);
      },
    };
  };

  it.each(keySourceCases(harness))('$name', ({ run }) => run());
});
