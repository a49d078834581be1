import type { Count } from '../count.js';
import type { LoadPolicy } from '../policy/load-policy.js';
import type { LoadThresholds } from '../policy/load-thresholds.js';
import type { Problem } from '../sources/problem.js';
import { LOADS_UNTIL_MISSING, type LoadSignal, missingSignals } from './missing-signals.js';

const bits = { activeDecodeBlocks: 1, activePrefillTokens: 2, kvUsedBlocks: 4 } as const satisfies Record<
  LoadSignal,
  number
>;

/** Which signals the loads of a pool have had, and for which thresholds a missing one was reported. */
export class HeardSignals {
  private loads = 0;
  private signals = 0;
  private readonly reported = new Set<keyof LoadThresholds>();

  /** Notes the values of a load. Returns whether missing signals are to be reported now. */
  hear(active: Count | null, tokens: Count | null, used: Count | null): boolean {
    if (active !== null) this.signals |= bits.activeDecodeBlocks;
    if (tokens !== null) this.signals |= bits.activePrefillTokens;
    if (used !== null) this.signals |= bits.kvUsedBlocks;
    if (this.loads === LOADS_UNTIL_MISSING) return false;
    this.loads += 1;
    return this.loads === LOADS_UNTIL_MISSING;
  }

  /** The problems of thresholds whose signals are missing, once for each threshold. */
  report(thresholds: LoadThresholds, policy: LoadPolicy): Problem[] {
    if (this.loads < LOADS_UNTIL_MISSING) return [];
    const missing = missingSignals(
      thresholds,
      policy,
      (signal) => (this.signals & bits[signal]) !== 0,
    ).filter(({ threshold }) => !this.reported.has(threshold));
    for (const { threshold } of missing) this.reported.add(threshold);
    return missing.map(({ problem }) => problem);
  }
}
