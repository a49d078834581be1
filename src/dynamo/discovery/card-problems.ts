import type { Problem } from '../../core/sources/problem.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { WorkerSummary } from './worker-records.js';

/** The maximum length of a name in a problem. */
const MAX_NAME = 256;

/** A name that others chose, in quotation marks and not longer than a problem may be. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name);
}

type Code = 'unknown-role' | 'contradictory-cards';

const findings: Readonly<Record<Code, (worker: WorkerSummary | undefined) => string | undefined>> = {
  'unknown-role': (worker) => worker?.unknownRole,
  'contradictory-cards': (worker) => worker?.contradiction,
};

const texts: Readonly<Record<Code, (found: string, workers: string) => string>> = {
  'unknown-role': (found, workers) =>
    `the model cards of ${workers} have a worker type that this version of tidemark does not know, such as ${quoted(found)}; ` +
    'a worker whose own type is unknown counts as aggregated',
  'contradictory-cards': (found, workers) =>
    `${workers} with several model cards of one pool that differ, such as in ${quoted(found)}; the card whose key sorts ` +
    'last counts: remove the others',
};

/**
 * Problems of the model cards of a fleet. A kind of problem is reported when its first worker appears, and again only when
 * it concerns at least twice as many workers, so a large fleet with one mistake does not repeat it for every worker.
 */
export class CardProblems {
  private readonly found = new Map<Code, Map<WorkerId, string>>();
  private readonly reported = new Map<Code, number>();

  /** Replaces what is known of a worker. */
  replace(workerId: WorkerId, worker: WorkerSummary | undefined): void {
    for (const code of Object.keys(findings) as Code[]) {
      const finding = findings[code](worker);
      const workers = this.found.get(code);
      if (finding === undefined) workers?.delete(workerId);
      else if (workers === undefined) this.found.set(code, new Map([[workerId, finding]]));
      else workers.set(workerId, finding);
    }
  }

  /** All present problems. */
  list(): Problem[] {
    return [...this.found].flatMap(([code, workers]) => {
      const [example] = workers;
      if (example === undefined) return [];
      const [workerId, finding] = example;
      const count = workers.size;
      const text = texts[code](finding, count === 1 ? `worker ${workerId}` : `${count} workers`);
      return [{ code, source: 'configs', text, workerId, count }];
    });
  }

  /** The problems to report now. */
  takeNew(): Problem[] {
    const present = this.list();
    const due = present.filter(({ code, count }) => count >= 2 * (this.reported.get(code as Code) ?? 0.5));
    for (const code of this.reported.keys())
      if (!present.some((problem) => problem.code === code)) this.reported.delete(code);
    for (const { code, count } of due) this.reported.set(code as Code, count);
    return due;
  }
}
