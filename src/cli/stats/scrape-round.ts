import { catchError, defer, endWith, ignoreElements, map, of, tap, type Observable } from 'rxjs';
import { aggregatorPolicies } from '../../core/aggregator/aggregator-policy.js';
import { ProcessedEndpoints } from '../../core/aggregator/processed-endpoints.js';
import { readScrape } from '../../core/aggregator/read-scrape.js';
import type { Scrape, ScrapeError } from '../../core/aggregator/scrape.js';
import type { Problem } from '../../core/sources/problem.js';
import { decodeServiceStats, type ServiceStats } from '../../wire/services/service-stats.js';

/** The load of a component, as its workers report it. */
export interface ServiceLoad {
  readonly service: string;
  readonly snapshot: ProcessedEndpoints;
}

/** The result of one scrape. */
export interface ScrapeRound {
  /** Sorted by name, then by id. */
  readonly instances: readonly ServiceStats[];
  /** One entry for each service whose endpoint reports a load. */
  readonly loads: readonly ServiceLoad[];
  readonly problems: readonly Problem[];
  /** Why the result is incomplete; `null` if it is complete. */
  readonly error: ScrapeError | null;
}

/** Runs one scrape and emits its result. It never errors. */
export function scrapeRound(scrape$: Scrape, endpoint: string): Observable<ScrapeRound> {
  return defer(() => {
    const decoded: ReturnType<typeof decodeServiceStats>[] = [];
    return scrape$.pipe(
      tap(({ data }) => decoded.push(decodeServiceStats(data))),
      ignoreElements(),
      endWith(null),
      catchError((error: unknown) => of(error as ScrapeError)),
      map((error) => ({ ...roundOf(decoded, endpoint), error })),
    );
  });
}

function roundOf(
  decoded: readonly ReturnType<typeof decodeServiceStats>[],
  endpoint: string,
): Omit<ScrapeRound, 'error'> {
  const { default: policy } = aggregatorPolicies;
  const instances = decoded
    .flatMap((reply) => ('error' in reply ? [] : [reply]))
    .sort((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
  const unreadable = decoded.filter((reply) => 'error' in reply);
  const read = [...new Set(instances.map(({ name }) => name))].map((service) => {
    const own = instances.filter(({ name }) => name === service);
    return { service, ...readScrape(own, { service, endpoint, policy }) };
  });
  const { problems } = readScrape(unreadable, { service: '', endpoint, policy });
  return {
    instances,
    loads: read
      .filter(({ endpoints }) => endpoints.length > 0)
      .map(({ service, endpoints }) => ({ service, snapshot: ProcessedEndpoints.of(endpoints) })),
    problems: [...problems, ...read.flatMap((service) => service.problems)],
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
