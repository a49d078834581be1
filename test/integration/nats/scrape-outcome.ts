import { defer, tap, VirtualTimeScheduler } from 'rxjs';
import type { NatsLink } from '../../../src/adapters/nats/nats-link.js';
import type { NatsConnectionOptions } from '../../../src/adapters/nats/nats-options.js';
import { keepLink } from '../../../src/adapters/nats/nats-run.js';
import { requestManyOver } from '../../../src/adapters/nats/request-many.js';
import { type ScrapeOptions, scrapeStats, toStatsRequest } from '../../../src/adapters/nats/scrape-stats.js';
import type { Scrape, ScrapeError } from '../../../src/core/aggregator/scrape.js';

/** The request of a scrape of this service. */
export const SUBJECT = '$SRV.STATS.dynamo_backend';

export function scrapeOf(
  access: NatsLink | NatsConnectionOptions,
  options?: ScrapeOptions,
  service = 'dynamo_backend',
): Scrape {
  return scrapeStats(access, service, options);
}

/** The replies, and the error if it did not complete. */
export async function outcome(scrape$: Scrape): Promise<{ texts: string[]; error: ScrapeError | null }> {
  const texts: string[] = [];
  return new Promise((resolve) => {
    scrape$.subscribe({
      next: ({ data }) => texts.push(new TextDecoder().decode(data)),
      error: (error: unknown) => resolve({ texts, error: error as ScrapeError }),
      complete: () => resolve({ texts, error: null }),
    });
  });
}

/** A scrape whose window ends after `count` replies, however long they take. */
export function scrapeOfAll(access: NatsConnectionOptions, service: string, count: () => number): Scrape {
  const question = toStatsRequest(service, {});
  const linked$ = keepLink(access, 2_000);
  return defer(() => {
    const time = new VirtualTimeScheduler(undefined, question.windowMs);
    let replies = 0;
    const heard = (): void => {
      replies += 1;
      if (replies === count()) setImmediate(() => time.flush());
    };
    return requestManyOver(linked$, question, time).pipe(tap(heard));
  });
}
