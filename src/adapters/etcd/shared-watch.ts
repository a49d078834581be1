import { defer, filter, finalize, share, startWith, tap, type Observable } from 'rxjs';
import type { SourceStatus } from '../../core/source-status.js';
import type { KeyPut, PrefixBatch } from './prefix-batch.js';

/** The two halves of a run. */
export interface PrefixWatch {
  readonly changes$: Observable<PrefixBatch>;
  readonly status$: Observable<SourceStatus>;
}

/**
 * One run for all who listen to its two halves; a late subscriber gets the present state of its half first.
 *
 * @param keep whether the values are kept for that. Without, `changes$` is for one subscriber, who keeps what it needs.
 */
export function sharedWatch(
  run$: Observable<PrefixBatch | SourceStatus>,
  { keep }: { readonly keep: boolean },
): PrefixWatch {
  let present: Map<string, KeyPut> | null = null;
  let status: SourceStatus | null = null;
  const remember = (item: PrefixBatch | SourceStatus): void => {
    if ('state' in item) {
      status = item;
      return;
    }
    if (!keep) return;
    present ??= new Map();
    for (const change of item.changes) {
      if (change.kind === 'put') present.set(change.key, change);
      else present.delete(change.key);
    }
  };
  const shared$ = run$.pipe(
    tap(remember),
    finalize(() => {
      present = null;
      status = null;
    }),
    share(),
  );
  const changes$ = shared$.pipe(filter((item) => 'changes' in item));
  const status$ = shared$.pipe(filter((item) => 'state' in item));
  return {
    changes$: defer(() =>
      present === null
        ? changes$
        : changes$.pipe(startWith<PrefixBatch>({ kind: 'snapshot', changes: [...present.values()] })),
    ),
    status$: defer(() => (status === null ? status$ : status$.pipe(startWith(status)))),
  };
}
