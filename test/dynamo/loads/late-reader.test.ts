import {
  bufferTime,
  delay,
  map,
  mergeAll,
  mergeMap,
  observeOn,
  shareReplay,
  Subject,
  VirtualTimeScheduler,
  type MonoTypeOperatorFunction,
  type Observable,
  type Subscription,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { receiveLoads } from '../../../src/dynamo/loads/receive-loads.js';
import type { ActiveLoad, LoadReceived } from '../../../src/core/events/fleet-event.js';
import { batchEvents, LoadBatch, WorkerTable } from '../../../src/core/events/load-batch.js';
import { loadMonitor } from '../../../src/core/pipeline/load-monitor.js';
import { policies } from '../../../src/core/policy/policies.js';
import { encodeActiveLoad, encodeEnvelope } from '../../../src/wire/loads/load-encoder.js';
import { id } from '../../support/fleet.js';
import { loadColumns } from '../../support/load-columns.js';
import { FakeMessages } from './fake-messages.js';

const message = (worker: number, activePrefillTokens: number): Uint8Array => {
  const load = { workerId: id(worker), dpRank: 0, activeDecodeBlocks: null, kvUsedBlocks: null };
  const head = { publisherId: '9', sequence: 0, publishedAt: 0 };
  return encodeEnvelope(head, encodeActiveLoad({ ...load, activePrefillTokens }, 5));
};

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A source of batches of one load that reuses its columns. */
interface Producer {
  readonly loads$: Observable<LoadBatch>;
  readonly emit: (worker: number, tokens: number) => Promise<void>;
}

const producers: Readonly<Record<string, () => Producer>> = {
  receiveLoads: () => {
    const messages = new FakeMessages();
    return {
      loads$: receiveLoads(messages, { form: 'columns' }).loads$,
      async emit(worker, tokens) {
        messages.deliver(message(worker, tokens));
        await settle();
      },
    };
  },
  'a producer with batches of its own': () => {
    const loads$ = new Subject<LoadBatch>();
    const table = new WorkerTable();
    const columns = loadColumns(table, [0, 0, 0]);
    return {
      loads$,
      emit(worker, tokens) {
        columns.worker[0] = table.intern(0, worker);
        columns.activePrefillTokens[0] = tokens;
        const batch = new LoadBatch(columns);
        loads$.next(batch);
        batch.expire();
        return Promise.resolve();
      },
    };
  },
};

/** Every way to read a batch. */
const readers: Readonly<Record<string, (batch: LoadBatch) => unknown>> = {
  count: (batch) => batch.count,
  receivedAt: (batch) => batch.receivedAt,
  workerIds: (batch) => batch.workerIds,
  dpRank: (batch) => batch.dpRank,
  activeDecodeBlocks: (batch) => batch.activeDecodeBlocks,
  activePrefillTokens: (batch) => batch.activePrefillTokens,
  kvUsedBlocks: (batch) => batch.kvUsedBlocks,
  wide: (batch) => batch.wide,
  'a new iterator': (batch) => batch[Symbol.iterator]().next(),
  batchEvents: (batch) => batchEvents(batch),
};

const refusal = {
  code: 'batch-expired',
  name: 'TidemarkError',
  message: expect.stringMatching(
    /after the call in which it was emitted.*`batchEvents`.*`objects`/,
  ) as unknown as string,
};

/** Operators that give a value to their subscriber after the call. */
const lateOperators: Readonly<
  Record<string, (scheduler: VirtualTimeScheduler) => MonoTypeOperatorFunction<LoadBatch>>
> = {
  delay: (scheduler) => delay(300, scheduler),
  observeOn: (scheduler) => observeOn(scheduler),
  bufferTime: (scheduler) => (batches$) => batches$.pipe(bufferTime<LoadBatch>(300, scheduler), mergeAll()),
};

it('the readers of this test are all that a batch has', () => {
  const members = Object.getOwnPropertyNames(LoadBatch.prototype);
  const others = members.filter((name) => !Object.hasOwn(readers, name));
  expect(others.sort()).toEqual(['constructor', 'expire']);
});

describe.each(Object.entries(producers))('a batch of %s', (_, start) => {
  it.each(Object.keys(readers))('is read during the call: %s', async (name) => {
    const { loads$, emit } = start();
    const errors: unknown[] = [];
    const values: unknown[] = [];
    const subscription = loads$
      .pipe(map((batch) => readers[name]?.(batch)))
      .subscribe({ next: (value) => values.push(value), error: (error: unknown) => errors.push(error) });
    await emit(1, 11);
    await emit(2, 12);
    expect([values.length, errors]).toEqual([2, []]);
    subscription.unsubscribe();
  });

  describe.each(Object.entries(lateOperators))('is refused after %s', (__, operator) => {
    it.each(Object.entries(readers))('%s', async (___, read) => {
      const { loads$, emit } = start();
      const scheduler = new VirtualTimeScheduler();
      scheduler.maxFrames = 1000;
      const seen = outcomes(loads$.pipe(operator(scheduler), map(read)));
      await emit(1, 11);
      await emit(2, 12);
      scheduler.flush();
      expect(seen).toMatchObject({ values: [], errors: [refusal] });
      seen.subscription.unsubscribe();
    });
  });

  it.each(Object.entries(readers))(
    'is refused for a late subscriber of shareReplay: %s',
    async (__, read) => {
      const { loads$, emit } = start();
      const kept$ = loads$.pipe(shareReplay({ bufferSize: 1, refCount: true }));
      const first = kept$.subscribe();
      await emit(1, 11);
      const seen = outcomes(kept$.pipe(map(read)));
      expect(seen).toMatchObject({ values: [], errors: [refusal] });
      first.unsubscribe();
    },
  );

  it('ends an iterator that was started, with the error', async () => {
    const { loads$, emit } = start();
    const iterators: Iterator<LoadReceived>[] = [];
    const subscription = loads$.subscribe((batch) => {
      const [started, fresh] = [batch[Symbol.iterator](), batch[Symbol.iterator]()];
      started.next();
      iterators.push(started, fresh);
    });
    await emit(1, 11);
    await emit(2, 12);
    for (const iterator of iterators)
      expect(() => iterator.next()).toThrow(expect.objectContaining({ code: 'batch-expired' }) as Error);
    subscription.unsubscribe();
  });

  it('has columns and loads that can be kept', async () => {
    const { loads$, emit } = start();
    const kept: unknown[] = [];
    const subscription = loads$.subscribe(({ workerIds, dpRank, activePrefillTokens, wide, ...rest }) =>
      kept.push({ workerIds, dpRank, activePrefillTokens, wide, ...rest }),
    );
    const events: LoadReceived[] = [];
    subscription.add(loads$.subscribe((batch) => events.push(...batchEvents(batch))));
    await emit(1, 11);
    await emit(2, 12);
    await emit(3, 13);
    expect(kept).toEqual(
      [1, 2, 3].map((worker) => ({
        workerIds: [id(worker)],
        dpRank: Uint32Array.of(0),
        activePrefillTokens: Float64Array.of(10 + worker),
        wide: new Map(),
        kind: 'batch',
      })),
    );
    expect(events.map(({ workerId, activePrefillTokens }) => [workerId, activePrefillTokens])).toEqual(
      [1, 2, 3].map((worker) => [id(worker), 10 + worker]),
    );
    subscription.unsubscribe();
  });

  it('is still a batch when it is refused, so that a late reader finds out why', async () => {
    const { loads$, emit } = start();
    const kept: LoadBatch[] = [];
    const subscription = loads$.subscribe((batch) => kept.push(batch));
    await emit(1, 11);
    expect(kept.map(({ kind }) => kind)).toEqual(['batch']);
    subscription.unsubscribe();
  });
});

describe('loads that are delayed in front of a monitor', () => {
  const options = { policy: policies.default, thresholds: { activePrefillTokensThreshold: 10 } };
  const sent = [
    [1, 11],
    [2, 11],
    [1, 3],
    [1, 12],
    [2, 4],
  ] as const;

  /** The transitions of a monitor, of loads that arrive 100 ms apart in virtual time. */
  async function transitionsOf(
    sourceOf: (messages: FakeMessages) => Observable<ActiveLoad>,
    through: (scheduler: VirtualTimeScheduler) => MonoTypeOperatorFunction<ActiveLoad>,
  ): Promise<string[]> {
    const messages = new FakeMessages();
    const scheduler = new VirtualTimeScheduler();
    const loads = sourceOf(messages).pipe(through(scheduler));
    const monitor = loadMonitor({ loads }, { ...options, scheduler });
    const seen: string[] = [];
    monitor.transitions$.subscribe(({ workerId, busy }) => seen.push(`${workerId}${busy ? '+' : '-'}`));
    monitor.connect();
    await settle();
    for (const [worker, tokens] of sent) {
      messages.deliver(message(worker, tokens));
      await settle();
      advance(scheduler, 100);
    }
    advance(scheduler, 1000);
    monitor.stop();
    return seen;
  }

  it.each<[string, (messages: FakeMessages) => Observable<ActiveLoad>]>([
    ['objects', (messages) => receiveLoads(messages).loads$],
    [
      'columns that are copied during the call',
      (messages) => receiveLoads(messages, { form: 'columns' }).loads$.pipe(mergeMap(batchEvents)),
    ],
  ])('%s have the same transitions', async (_, sourceOf) => {
    const direct = await transitionsOf(sourceOf, () => (loads$) => loads$);
    expect(direct).toEqual(['1+', '2+', '1-', '1+', '2-']);
    expect(await transitionsOf(sourceOf, (scheduler) => delay(300, scheduler))).toEqual(direct);
  });
});

function advance(scheduler: VirtualTimeScheduler, ms: number): void {
  scheduler.maxFrames = scheduler.frame + ms;
  scheduler.flush();
  scheduler.frame = scheduler.maxFrames;
}

/** What an Observable emits, and its error. */
function outcomes(source$: Observable<unknown>): {
  readonly values: unknown[];
  readonly errors: unknown[];
  readonly subscription: Subscription;
} {
  const [values, errors]: [unknown[], unknown[]] = [[], []];
  const subscription = source$.subscribe({
    next: (value) => values.push(value),
    error: (error: unknown) => errors.push(error),
  });
  return { values, errors, subscription };
}
