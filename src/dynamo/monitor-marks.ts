import { Subject, type Observable } from 'rxjs';
import { LoadThresholdConfig } from '../core/load-threshold-config.js';
import type { LoadPolicy } from '../core/load-policy.js';
import type { LoadThresholdUpdate } from '../core/load-thresholds.js';

/** The marks of a monitor, which outlive its runs, and their changes, which reach the run under way. */
export class MonitorMarks {
  private inForce: LoadThresholdConfig;
  private sets: LoadThresholdUpdate = {};
  private readonly changes$ = new Subject<LoadThresholdUpdate>();

  constructor(private readonly policy: LoadPolicy) {
    this.inForce = LoadThresholdConfig.defaults(policy);
  }

  /** The marks in force. */
  get config(): LoadThresholdConfig {
    return this.inForce;
  }

  /** What the next run starts with: the marks as they were given, as a stored one, stored again, may be cut twice. */
  get given(): LoadThresholdUpdate {
    return this.sets;
  }

  get updates$(): Observable<LoadThresholdUpdate> {
    return this.changes$;
  }

  /** Changes the given marks. Throws what {@link LoadThresholdConfig.set} throws, and changes nothing then. */
  set(change: LoadThresholdUpdate): void {
    this.inForce = this.inForce.set(change);
    const meant = Object.entries(change).filter(
      ([, mark]) => mark !== undefined && (mark !== null || this.policy.nullThreshold === 'off'),
    );
    this.sets = { ...this.sets, ...(Object.fromEntries(meant) as LoadThresholdUpdate) };
    this.changes$.next(change);
  }
}
