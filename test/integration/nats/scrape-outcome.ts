import { defer, tap, VirtualTimeScheduler } from 'rxjs';
import { linked } from '../../../src/adapters/nats/linked.js';
import type { NatsAccess } from '../../../src/adapters/nats/nats-access.js';
import type { NatsLink } from '../../../src/adapters/nats/nats-link.js';
import { scrapeOver } from '../../../src/adapters/nats/scrape-over.js';
import { scrapeQuestion, type ScrapeOptions } from '../../../src/adapters/nats/scrape-question.js';
import { scrapeStats } from '../../../src/adapters/nats/scrape-stats.js';
import type { ScrapeError } from '../../../src/core/aggregator/scrape-error.js';
import type { Scrape } from '../../../src/core/aggregator/scrape.js';

/** What a scrape of that service asks. */
export const SUBJECT = '$SRV.STATS.dynamo_backend';

export function scrapeOf(
  access: NatsLink | NatsAccess,
  options?: ScrapeOptions,
  service = 'dynamo_backend',
): Scrape {
  return scrapeStats(access, service, options);
}

/** What came, and why no more, if that is no end of its own. */
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

/** A scrape whose window is over when so many replies have come, however long the machine takes for them. */
export function scrapeOfAll(access: NatsAccess, service: string, count: () => number): Scrape {
  const question = scrapeQuestion(service, {});
  const linked$ = linked(access, 2_000);
  return defer(() => {
    const time = new VirtualTimeScheduler(undefined, question.windowMs);
    let replies = 0;
    const heard = (): void => {
      replies += 1;
      if (replies === count()) setImmediate(() => time.flush());
    };
    return scrapeOver(linked$, question, time).pipe(tap(heard));
  });
}
