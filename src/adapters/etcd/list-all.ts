import { concatMap, from, map, mergeMap, of, toArray, type Observable } from 'rxjs';
import type { EtcdLink } from './etcd-link.js';
import type { KeyHistory } from './key-history.js';
import type { Listing } from './listing.js';

/** A prefix that was listed. */
export interface Listed {
  readonly history: KeyHistory;
  readonly listing: Listing;
}

/** Lists the prefix of every history, all at the same revision, in their order; nothing for no history. */
export function listAll(
  link: EtcdLink,
  [first, ...others]: readonly KeyHistory[],
  { keysOnly }: { readonly keysOnly: boolean },
): Observable<readonly Listed[]> {
  if (first === undefined) return of([]);
  return link.list(first.prefix, { keysOnly }).pipe(
    mergeMap((listing) =>
      from(others).pipe(
        concatMap((history) =>
          link
            .list(history.prefix, { keysOnly, revision: listing.revision })
            .pipe(map((next): Listed => ({ history, listing: next }))),
        ),
        toArray(),
        map((rest) => [{ history: first, listing }, ...rest]),
      ),
    ),
  );
}
