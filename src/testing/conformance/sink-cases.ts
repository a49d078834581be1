import { from, lastValueFrom, toArray } from 'rxjs';
import { performCleanup, type CleanupSink } from '../../core/pipeline/perform-cleanup.js';
import type { Cleanup } from '../../core/state/cleanup.js';
import { workerId } from '../../core/worker-id.js';
import { expectSame, type ConformanceCase } from './source-cases.js';

/** How the cases look at one sink. Every case asks for a new one. */
export interface SinkHarness {
  readonly sink: CleanupSink;
  /** Makes a metric series that a cleanup of this worker, rank and type must drop. */
  readonly addSeries: (workerId: string, dpRank: number | 'none', workerType: Cleanup['workerType']) => void;
  /** The series there are, as `worker rank type`, in any order. */
  readonly series: () => readonly string[];
}

const cleanup = (worker: string, ...dpRanks: (number | 'none')[]): Cleanup => ({
  workerId: workerId(worker),
  dpRanks,
  workerType: 'decode',
});

/**
 * What every sink of cleanups does, as cases for any test runner.
 *
 * 1. It drops the series of the named worker, ranks and type, and no others.
 * 2. A cleanup that names what is not there, or that comes twice, is no failure.
 *
 * @param make a new sink with what it works on
 *
 * @see {@link sourceCases}, {@link performCleanup}
 */
export function sinkCases(make: () => SinkHarness): ConformanceCase[] {
  const perform = async ({ sink }: SinkHarness, ...cleanups: Cleanup[]): Promise<boolean[]> => {
    const outcomes = await lastValueFrom(from(cleanups).pipe(performCleanup(sink), toArray()));
    return outcomes.map(({ ok }) => ok);
  };
  const filled = (): SinkHarness => {
    const harness = make();
    for (const worker of ['7', '18446744073709551615']) {
      for (const rank of [0, 1, 'none'] as const) {
        harness.addSeries(worker, rank, 'decode');
        harness.addSeries(worker, rank, 'prefill');
      }
    }
    return harness;
  };
  const left = (harness: SinkHarness): string[] => [...harness.series()].sort();
  return [
    {
      name: 'drops the named ranks of the named worker and type, and nothing else',
      run: async () => {
        const harness = filled();
        const before = left(harness);
        expectSame('outcomes', await perform(harness, cleanup('7', 0, 'none')), [true]);
        expectSame(
          'series',
          left(harness),
          before.filter((one) => one !== '7 0 decode' && one !== '7 none decode'),
        );
      },
    },
    {
      name: 'a cleanup of what is not there is no failure',
      run: async () => {
        const harness = filled();
        const before = left(harness);
        expectSame('outcomes', await perform(harness, cleanup('9', 0), cleanup('7', 5), cleanup('7')), [
          true,
          true,
          true,
        ]);
        expectSame('series', left(harness), before);
      },
    },
    {
      name: 'the same cleanup twice is no failure',
      run: async () => {
        const harness = filled();
        const twice = cleanup('18446744073709551615', 0, 1);
        expectSame('outcomes', await perform(harness, twice, twice), [true, true]);
        expectSame(
          'series',
          left(harness).filter((one) => one.startsWith('1844') && one.endsWith('decode')),
          ['18446744073709551615 none decode'],
        );
      },
    },
  ];
}
