import { Observable, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { sinkCases, type SinkHarness } from '../../../src/testing/conformance/sink-cases.js';
import { sourceCases, type SourceHarness } from '../../../src/testing/conformance/source-cases.js';
import { fakeSource } from '../../../src/testing/fakes/fake-source.js';

const good = (): SourceHarness<string> => {
  const fake = fakeSource<string>();
  return {
    source$: fake.source$,
    values: ['a', 'b', 'c'],
    push: fake.next,
    fail: () => fake.error(new Error('gone')),
    end: fake.complete,
    open: () => fake.open,
  };
};
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

describe('source conformance - the fake source', () => {
  it.each(sourceCases(good))('$name', ({ run }) => run());
});

describe('sink conformance - a set', () => {
  it.each(sinkCases(series))('$name', ({ run }) => run());
});

describe('conformance - notices', () => {
  const failing = async (cases: readonly { name: string; run: () => Promise<void> }[]): Promise<string[]> => {
    const names: string[] = [];
    for (const { name, run } of cases) await run().catch(() => names.push(name));
    return names;
  };

  it('a source that leaks and keeps emitting, and one that swaps values', async () => {
    const leaking = sourceCases(() => {
      const subject$ = new Subject<string>();
      let open = 0;
      const source$ = new Observable<string>((subscriber) => {
        open += 1;
        return subject$.subscribe(subscriber);
      });
      return { source$, values: ['a', 'b', 'c'], push: (value) => subject$.next(value), open: () => open };
    });
    expect(await failing(leaking)).toEqual([
      'unsubscribing ends delivery and releases everything',
      'a hundred rounds of subscribing leave nothing open',
    ]);
    const swapped = sourceCases(() => {
      const harness = good();
      return { ...harness, push: (value: string) => harness.push(value === 'a' ? 'b' : value) };
    });
    expect(await failing(swapped)).toContain('values arrive in order');
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
