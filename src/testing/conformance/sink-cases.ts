import { from, lastValueFrom, toArray } from 'rxjs';
import { performCleanup, type CleanupSink } from '../../core/pipeline/perform-cleanup.js';
import type { Cleanup } from '../../core/state/cleanup.js';
import { workerId } from '../../core/worker-id.js';
import { expectSame, type ConformanceCase } from './conformance-case.js';

/** One sink under test. Every case makes a new one. */
export interface SinkHarness {
  readonly sink: CleanupSink;
  /** Makes a metric series that a cleanup of this worker, rank and type must remove. */
  readonly addSeries: (workerId: string, dpRank: number | 'none', workerType: Cleanup['workerType']) => void;
  /** The existing series as `worker rank type`, in any order. */
  readonly series: () => readonly string[];
}

const cleanup = (worker: string, ...dpRanks: (number | 'none')[]): Cleanup => ({
  workerId: workerId(worker),
  dpRanks,
  workerType: 'decode',
});

/**
 * The conformance cases of cleanup sinks, for any test runner.
 *
 * 1. A sink removes the series of the given worker, ranks and type, and no others.
 * 2. A cleanup of missing series, or the same cleanup twice, does not fail.
 *
 * @param make makes a new sink with its series
 *
 * @see {@link keySourceCases}, {@link performCleanup}
 */
export function sinkCases(make: () => SinkHarness): ConformanceCase[] {
  const perform = async ({ sink }: SinkHarness, ...cleanups: Cleanup[]): Promise<boolean[]> => {
    const outcomes = await lastValueFrom(from(cleanups).pipe(performCleanup(sink), toArray()));
    return outcomes.map((outcome) => !('error' in outcome));
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
  const sortedSeries = (harness: SinkHarness): string[] => [...harness.series()].sort();
  return [
    {
      name: 'removes the given ranks of the given worker and type, and nothing else',
      run: async () => {
        const harness = filled();
        const before = sortedSeries(harness);
        expectSame('outcomes', await perform(harness, cleanup('7', 0, 'none')), [true]);
        expectSame(
          'series',
          sortedSeries(harness),
          before.filter((series) => series !== '7 0 decode' && series !== '7 none decode'),
        );
      },
    },
    {
      name: 'a cleanup of missing series does not fail',
      run: async () => {
        const harness = filled();
        const before = sortedSeries(harness);
        expectSame('outcomes', await perform(harness, cleanup('9', 0), cleanup('7', 5), cleanup('7')), [
          true,
          true,
          true,
        ]);
        expectSame('series', sortedSeries(harness), before);
      },
    },
    {
      name: 'the same cleanup twice does not fail',
      run: async () => {
        const harness = filled();
        const twice = cleanup('18446744073709551615', 0, 1);
        expectSame('outcomes', await perform(harness, twice, twice), [true, true]);
        expectSame(
          'series',
          sortedSeries(harness).filter((series) => series.startsWith('1844') && series.endsWith('decode')),
          ['18446744073709551615 none decode'],
        );
      },
    },
  ];
}
