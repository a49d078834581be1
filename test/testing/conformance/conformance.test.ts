import { Observable, defer, map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type KeyBatch, MemoryKeys } from '../../../src/core/sources/key-source.js';
import { type Message, MemoryMessages } from '../../../src/core/sources/message-source.js';
import { type KeySourceHarness, keySourceCases } from '../../../src/testing/conformance/key-source-cases.js';
import {
  type MessageSourceHarness,
  messageSourceCases,
} from '../../../src/testing/conformance/message-source-cases.js';
import { sinkCases, type SinkHarness } from '../../../src/testing/conformance/sink-cases.js';

/** Keys in memory, with their subscriptions counted. */
function keys(): KeySourceHarness {
  const source = new MemoryKeys();
  let open = 0;
  const changes$ = new Observable<KeyBatch>((subscriber) => {
    open += 1;
    const subscription = source.changes$.subscribe(subscriber);
    return () => {
      open -= 1;
      subscription.unsubscribe();
    };
  });
  return {
    source: { changes$, status$: source.status$ },
    put: (key, value) => source.put(key, value),
    remove: (key) => source.delete(key),
    open: () => open,
  };
}

function messages(): MessageSourceHarness {
  const source = new MemoryMessages();
  let open = 0;
  const subscribe = (subjects: readonly string[]): Observable<Message> =>
    new Observable((subscriber) => {
      open += 1;
      const subscription = source.subscribe(subjects).subscribe(subscriber);
      return () => {
        open -= 1;
        subscription.unsubscribe();
      };
    });
  return {
    source: { subscribe, status$: source.status$ },
    publish: (subject, data) => source.publish(subject, data),
    open: () => open,
  };
}

const series = (): SinkHarness => {
  const existing = new Set<string>();
  return {
    sink: ({ workerId, dpRanks, workerType }) => {
      for (const rank of dpRanks) existing.delete(`${workerId} ${rank} ${workerType}`);
    },
    addSeries: (...parts) => void existing.add(parts.join(' ')),
    series: () => [...existing],
  };
};

describe('conformance of keys in memory', () => {
  it.each(keySourceCases(keys))('$name', ({ run }) => run());
});

describe('conformance of messages in memory', () => {
  it.each(messageSourceCases(messages))('$name', ({ run }) => run());
});

describe('conformance of a sink', () => {
  it.each(sinkCases(series))('$name', ({ run }) => run());
});

describe('the conformance cases notice', () => {
  const failing = async (cases: readonly { name: string; run: () => Promise<void> }[]): Promise<string[]> => {
    const names: string[] = [];
    for (const { name, run } of cases) await run().catch(() => names.push(name));
    return names;
  };

  const patienceMs = 20;

  it('keys that a late subscriber does not get, revisions that decrease, and a source that never stops', async () => {
    const decreasing = (): KeySourceHarness => {
      const { source, ...rest } = keys();
      const changes$ = source.changes$.pipe(map((batch) => ({ ...batch, revision: `-${batch.revision}` })));
      return { ...rest, source: { ...source, changes$ }, patienceMs };
    };
    expect(await failing(keySourceCases(decreasing))).toEqual(['revisions never decrease']);
    const forgetful = (): KeySourceHarness => {
      const { source, ...rest } = keys();
      const empty = (batch: KeyBatch): KeyBatch =>
        batch.kind === 'snapshot' ? { ...batch, changes: [] } : batch;
      return { ...rest, source: { ...source, changes$: source.changes$.pipe(map(empty)) }, patienceMs };
    };
    expect(await failing(keySourceCases(forgetful))).toEqual([
      'a late subscriber gets a snapshot of the keys as they are',
    ]);
    const leaking = (): KeySourceHarness => {
      const { source, ...rest } = keys();
      let open = 0;
      const changes$ = defer(() => {
        open += 1;
        return source.changes$;
      });
      return { ...rest, source: { ...source, changes$ }, open: () => open, patienceMs };
    };
    expect(await failing(keySourceCases(leaking))).toEqual([
      'unsubscribing ends delivery and releases everything',
      'a hundred rounds of subscribing leave nothing open',
    ]);
  });

  it('messages on other subjects, and messages under another subject', async () => {
    const changed =
      (change: (message: Message) => Message, subjects?: string[]) => (): MessageSourceHarness => {
        const { source, ...rest } = messages();
        const subscribe = (own: readonly string[]): Observable<Message> =>
          source.subscribe(subjects ?? own).pipe(map(change));
        return { ...rest, source: { ...source, subscribe }, patienceMs };
      };
    expect(await failing(messageSourceCases(changed((message) => message, ['>'])))).toEqual(
      expect.arrayContaining([
        'only messages on its own subjects arrive',
        'wildcards match tokens of a subject',
      ]),
    );
    expect(await failing(messageSourceCases(changed(({ data }) => ({ subject: 'x', data }))))).toContain(
      'messages arrive in order, with their subjects',
    );
  });

  it('a sink that removes too much, and one that fails on missing series', async () => {
    const greedy = sinkCases(() => {
      const harness = series();
      const all = new Set<string>();
      return {
        ...harness,
        addSeries: (...parts) => void all.add(parts.join(' ')),
        series: () => [...all],
        sink: () => all.clear(),
      };
    });
    expect(await failing(greedy)).toHaveLength(3);
    const strict = sinkCases(() => {
      const harness = series();
      return {
        ...harness,
        sink: (cleanup) => {
          if (!harness.series().some((name) => name.startsWith(`${cleanup.workerId} `)))
            throw new Error('not there');
          return harness.sink(cleanup);
        },
      };
    });
    expect(await failing(strict)).toEqual(['a cleanup of missing series does not fail']);
  });
});
