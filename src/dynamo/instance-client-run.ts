import {
  catchError,
  defer,
  distinctUntilChanged,
  EMPTY,
  interval,
  map,
  startWith,
  Subject,
  Subscription,
  switchMap,
  takeWhile,
  tap,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import type { FleetEvent } from '../core/events/fleet-event.js';
import { OverloadMarkTimers } from '../core/pipeline/overload-mark-timers.js';
import type { InstanceChange } from '../core/pipeline/monitor-sources.js';
import type { Problem } from '../core/sources/problem.js';
import type { WorkerId } from '../core/worker-id.js';
import { errorText } from '../operators/error-text.js';
import type { ClientPolicy } from './client-policy.js';
import { RoutingSets, type RoutingSnapshot } from './routing-sets.js';

/**
 * One run of an instance client, from its first call to its stop. A monitor receives a change before the sets are emitted,
 * so that the sets already contain what it publishes in response. Subscribers never see an intermediate state.
 */
export class InstanceClientRun {
  private readonly sets: RoutingSets;
  private readonly changed$ = new Subject<void>();
  private readonly changes$ = new Subject<InstanceChange>();
  private readonly requests$ = new Subject<FleetEvent>();
  private readonly failures$ = new Subject<Problem>();
  private readonly timers: OverloadMarkTimers;
  private subscription: Subscription | undefined;
  private isDiscoveryEnded = false;

  constructor(
    private readonly instances$: Observable<InstanceChange>,
    private readonly policy: ClientPolicy,
    private readonly inhibitedMs: number,
    private readonly scheduler: SchedulerLike,
    private readonly onEnd: () => void,
  ) {
    this.sets = new RoutingSets(policy);
    this.timers = new OverloadMarkTimers(policy, scheduler, () => this.changed$.next());
  }

  /** Emits one of the sets: first the current one, then each different one. */
  observeSet(
    select: (snapshot: RoutingSnapshot) => ReadonlySet<WorkerId>,
    isEnded: () => boolean = () => false,
  ): Observable<ReadonlySet<WorkerId>> {
    return this.changed$.pipe(
      startWith(undefined),
      map(() => ({ ids: select(this.snapshot()), isLast: isEnded() })),
      takeWhile(({ isLast }) => !isLast, true),
      map(({ ids }) => ids),
      distinctUntilChanged(),
    );
  }

  /** The instances for a monitor. */
  readonly watch$: Observable<InstanceChange> = defer(() =>
    this.policy.watched === 'available'
      ? this.observeSet(
          ({ available }) => available,
          () => this.isDiscoveryEnded,
        )
      : this.changes$.pipe(startWith<InstanceChange>(this.snapshot().available)),
  );

  readonly events$: Observable<FleetEvent> = defer(() => this.requests$);

  readonly problems$: Observable<Problem> = defer(() => this.failures$);

  snapshot(): RoutingSnapshot {
    return this.sets.snapshot(this.scheduler.now());
  }

  reportDown(workerId: WorkerId): void {
    if (this.inhibitedMs === 0 || !this.sets.reportDown(workerId)) return;
    this.emitEvent({ kind: 'reportedDown', workerId });
    this.changed$.next();
  }

  markOverloaded(workerId: WorkerId): void {
    if (!this.sets.markOverloaded(workerId, this.scheduler.now())) return;
    this.timers.arm(workerId);
    this.requests$.next({ kind: 'marked', workerId });
    this.changed$.next();
  }

  setOverloaded(workerIds: Iterable<WorkerId>): boolean {
    const changed = this.sets.setOverloaded(workerIds, this.scheduler.now());
    if (changed) this.changed$.next();
    return changed;
  }

  forget(workerIds: Iterable<WorkerId>): void {
    this.sets.forget(workerIds);
    this.changed$.next();
  }

  isReconciliationNeeded(): boolean {
    return this.sets.isReconciliationNeeded(this.scheduler.now());
  }

  connect(): Subscription {
    if (this.subscription !== undefined) return this.subscription;
    const subscription = new Subscription(() => this.finish());
    this.subscription = subscription;
    const periodic$ = this.inhibitedMs === 0 ? EMPTY : interval(this.inhibitedMs, this.scheduler);
    subscription.add(
      this.instances$
        .pipe(
          startWith(undefined),
          tap((change) => this.reconcile(change)),
          catchError((error: unknown) => this.reportFailure(error)),
          tap({ complete: () => this.discoveryEnded() }),
          switchMap(() => periodic$),
        )
        .subscribe({
          next: () => this.reconcile(undefined),
          error: (error: unknown) => this.reportFailure(error),
        }),
    );
    return subscription;
  }

  stop(): void {
    if (this.subscription === undefined) this.finish();
    else this.subscription.unsubscribe();
  }

  private reconcile(change: InstanceChange | undefined): void {
    const { restored } = this.sets.reconcile(change);
    if (change !== undefined) this.changes$.next(change);
    for (const workerId of restored) this.emitEvent({ kind: 'instance', workerId, present: true });
    this.changed$.next();
  }

  /** Notifies a monitor that a worker is down or available again, unless `watch$` already does. */
  private emitEvent(event: FleetEvent): void {
    if (this.policy.watched === 'discovered') this.requests$.next(event);
  }

  private discoveryEnded(): void {
    this.isDiscoveryEnded = true;
    this.changes$.complete();
    this.changed$.next();
  }

  private finish(): void {
    this.timers.stop();
    // Before the outputs complete, so that a subscriber that reconnects then starts a new run.
    this.onEnd();
    this.changes$.complete();
    this.requests$.complete();
    this.changed$.complete();
    this.failures$.complete();
  }

  private reportFailure(error: unknown): Observable<never> {
    const text = `the source of instances failed: ${errorText(error)}`;
    this.failures$.next({ code: 'source-error', source: 'instances', text, count: 1 });
    return EMPTY;
  }
}
