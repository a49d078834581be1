import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpuUsage, execPath } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, URL } from 'node:url';
import { connect, createInbox } from 'nats';
import { lastValueFrom, toArray } from 'rxjs';
import { readScrape, aggregatorPolicies, ProcessedEndpoints } from 'tidemark/aggregator';
import { scrapeStats } from 'tidemark/nats';
import { decodeServiceStats } from 'tidemark/wire';
import { check } from '../bench-state.js';
import { median } from '../measure.js';
import { SERVICE, STATS } from '../nats/protocol.js';

const responders = fileURLToPath(new URL('../nats/responders.js', import.meta.url));
const WINDOW_MS = 300;

/**
 * The calibration: the client's inbox and a callback that counts.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function statsNothing(input) {
  return perScrape(input, async (server) => {
    const connection = await connect({ servers: server });
    return async () => {
      let replies = 0;
      const inbox = createInbox();
      const subscription = connection.subscribe(inbox, { callback: () => (replies += 1) });
      connection.publish(STATS, '', { reply: inbox });
      await sleep(WINDOW_MS);
      subscription.unsubscribe();
      return replies;
    };
  });
}

/**
 * `scrapeStats`: the replies as they come, undecoded.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function stats(input) {
  return perScrape(input, async (server) => {
    const scrape$ = scrapeStats({ servers: server }, SERVICE, { windowMs: WINDOW_MS });
    return async () => (await lastValueFrom(scrape$.pipe(toArray()))).length;
  });
}

/**
 * `scrapeStats`, decoded, and one snapshot of it: a round of the aggregator.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function statsSnapshot(input) {
  const policy = aggregatorPolicies.default;
  return perScrape(input, async (server) => {
    const scrape$ = scrapeStats({ servers: server }, SERVICE, { windowMs: WINDOW_MS });
    return async () => {
      const replies = await lastValueFrom(scrape$.pipe(toArray()));
      const decoded = replies.map(({ data }) => decodeServiceStats(data, policy.wire));
      const { endpoints } = readScrape(decoded, { service: SERVICE, endpoint: 'load_metrics', policy });
      return ProcessedEndpoints.of(endpoints).endpoints.length;
    };
  });
}

/**
 * The processor time of this process for one scrape of all workers, nanoseconds: the median of scrapes, each of which
 * has to be whole.
 *
 * @param {import('../cases.js').CaseInput} input
 * @param {(server: string) => Promise<() => Promise<number>>} prepare returns what makes one scrape, which returns how
 *   many workers it found
 */
async function perScrape({ workers, server, effort }, prepare) {
  if (server === undefined) throw new Error('a case of NATS needs a server');
  const child = spawn(execPath, [responders, server, String(workers)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    const ask = await prepare(server);
    check(await ask(), workers, 'workers in the first scrape');
    const found = [];
    for (let slice = 0; slice < effort.slices; slice += 1) {
      const begin = cpuUsage();
      check(await ask(), workers, 'workers in a scrape');
      const { user, system } = cpuUsage(begin);
      found.push((user + system) * 1e3);
    }
    return median(found);
  } finally {
    child.kill();
    await once(child, 'exit');
  }
}
