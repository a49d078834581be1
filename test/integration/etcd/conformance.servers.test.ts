import { filter, map, mergeMap, tap } from 'rxjs';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { watchPrefix } from '../../../src/adapters/etcd/watch-prefix.js';
import { sourceCases, type SourceHarness } from '../../../src/testing/conformance/source-cases.js';
import { fakeSource } from '../../../src/testing/fakes/fake-source.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { startEtcdBehindProxy, type EtcdBehindProxy } from './etcd-behind-proxy.js';

describe('source conformance - memory', () => {
  it.each(
    sourceCases((): SourceHarness<string> => {
      const fake = fakeSource<string>();
      return {
        source$: fake.source$,
        values: ['a', 'b', 'c'],
        push: fake.next,
        fail: () => fake.error(new Error('gone')),
        end: fake.complete,
        open: () => fake.open,
      };
    }),
  )('$name', ({ run }) => run());
});

// A failure or an end of the server is a status; `changes$` has neither, so those two cases do not apply.
describeWith('etcd', 'source conformance - etcd', () => {
  let setup: EtcdBehindProxy | undefined;
  let sources = 0;
  beforeAll(async () => {
    setup = await startEtcdBehindProxy();
  });
  afterAll(() => setup?.[Symbol.asyncDispose]());

  /** The values that are written below a separate prefix, without the initial snapshot. */
  const harness = (): SourceHarness<string> => {
    sources += 1;
    const prefix = `source-${sources}/`;
    let [listening, ready, received, wanted] = [0, 0, 0, 0];
    // One is created before the server runs, only to list its cases.
    const { changes$ } = watchPrefix({ hosts: setup?.hosts ?? 'http://127.0.0.1:1', prefixes: prefix });
    const source$ = changes$.pipe(
      tap({
        subscribe: () => (listening += 1),
        unsubscribe: () => {
          listening -= 1;
          ready -= 1;
        },
        next: ({ kind }) => (ready += kind === 'snapshot' ? 1 : 0),
      }),
      filter(({ kind }) => kind === 'changes'),
      mergeMap(({ changes }) => changes),
      map((change) => (change.kind === 'put' ? Buffer.from(change.value).toString() : '')),
      tap(() => (received += 1)),
    );
    return {
      source$,
      values: ['a', 'b', 'c'],
      push: async (value) => {
        await setup?.server.gateway.put(`${prefix}key`, value);
        wanted += listening;
        await eventually(() => received >= wanted);
      },
      ready: () => eventually(() => ready === listening).then(() => undefined),
      open: () => setup?.proxy.connections ?? 0,
      settled: () => eventually(() => setup?.proxy.connections === 0).then(() => undefined),
    };
  };

  it.each(sourceCases(harness))('$name', ({ run }) => run());
});
