import { Subject } from 'rxjs';
import type { Problem } from '../problem.js';
import type { SourceStatus } from '../source-status.js';
import { sameData } from './same-data.js';
import type { AggregatorState } from './aggregator-state.js';
import type { ProcessedEndpoints } from './processed-endpoints.js';

/** The outputs of an aggregator, a subject for each, fed in one fixed order. */
export class AggregatorOutputs {
  private readonly subjects = {
    endpoints$: new Subject<ProcessedEndpoints>(),
    problems$: new Subject<Problem>(),
    status$: new Subject<SourceStatus>(),
  };
  readonly endpoints$ = this.subjects.endpoints$.asObservable();
  readonly problems$ = this.subjects.problems$.asObservable();
  readonly status$ = this.subjects.status$.asObservable();
  /** What was said last; `undefined` while nothing runs. */
  endpoints: ProcessedEndpoints | undefined;
  status: SourceStatus | undefined;

  /** What a round left: what differs, and what was wrong. */
  take({ endpoints, problems, status }: AggregatorState): void {
    const isNews = endpoints !== this.endpoints;
    const isOther = !sameData(status, this.status);
    this.endpoints = endpoints;
    this.status = status;
    if (isNews) this.subjects.endpoints$.next(endpoints);
    for (const problem of problems) this.subjects.problems$.next(problem);
    if (isOther) this.subjects.status$.next(status);
  }

  /** The end of a run. */
  forget(): void {
    this.endpoints = undefined;
    this.status = undefined;
  }
}
