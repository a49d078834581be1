import type { LoadThresholds } from '../../core/policy/load-thresholds.js';
import type { PoolName } from '../../core/sources/worker-info.js';
import type { Pool } from '../pools/pools.js';
import type { ThresholdBook } from './threshold-book.js';
import { type EntryTarget, differingThresholds } from './threshold-entry.js';

/** Puts the thresholds that a book has for a pool and its workers in force. */
export class PoolThresholds {
  private set: LoadThresholds | undefined;

  /** @param initial the thresholds in force before the first change */
  constructor(
    private readonly book: ThresholdBook,
    private readonly name: PoolName,
    private readonly initial: () => LoadThresholds,
    private readonly setThresholds: Pool['setThresholds'],
  ) {}

  /** Puts all thresholds of the book in force. */
  applyAll(): void {
    this.apply({});
    for (const workerId of this.book.workersIn(this.name)) this.apply({ workerId });
  }

  /** Puts the thresholds in force that the book has after a change of an entry. */
  apply({ workerId }: EntryTarget): void {
    if (workerId !== undefined) {
      this.setThresholds(this.book.ownThresholdsOf(this.name, workerId) ?? {}, workerId);
      return;
    }
    const thresholds = this.book.valuesFor(this.name);
    const change = differingThresholds(this.set ?? this.initial(), thresholds);
    this.set = thresholds;
    if (change !== null) this.setThresholds(change);
  }
}
