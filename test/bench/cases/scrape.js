import { Buffer } from 'node:buffer';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { URL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { poolMetrics, renderMetrics, WorkerLatencies } from 'tidemark/prometheus';
import { LoadBatchDecoder } from 'tidemark/fast';
import { LoadAccounting } from 'tidemark/dynamo';
import { benchFleet, idsOf, POLICY } from '../bench-fleet.js';
import { check, monitorOf } from '../bench-state.js';
import { median } from '../measure.js';

const PER_SECOND = 50_000;
const GAUGES = 5;

/** How long one page took, in milliseconds. */
export const scrape = caseOf(({ durations }) => median(durations));
/** The longest time the event loop was held up while pages were made, in milliseconds. */
export const scrapeBlock = caseOf(({ blocks }) => Math.max(...blocks));
/** The same over the same time while none is made: what the loads and the machine do by themselves. */
export const scrapeIdle = caseOf(({ idles }) => Math.max(...idles));
/** Loads that were published and did not arrive. */
export const scrapeLost = caseOf(({ lost }) => lost);

/**
 * A fleet that publishes loads while its pages are rendered: Dynamo's five gauges for every rank, and all of ours.
 *
 * @param {(found: { durations: number[], blocks: number[], idles: number[], lost: number }) => number} select
 * @returns {(input: import('../cases.js').CaseInput) => Promise<number>}
 */
function caseOf(select) {
  return async ({ workers, ranks, effort }) => {
    const fleet = benchFleet({ workers, ranks });
    const { loads, monitor } = monitorOf(fleet);
    const pool = poolMetrics(monitor, { labels: { pool: 'bench' }, latencies: latenciesOf(fleet) });
    const counting = pool.counting$.subscribe();
    const flow = startFlow(fleet, loads);
    await flow.everyRankSpoke();
    // Two pages are the warm-up.
    for (let page = 0; page < 2; page += 1) await seriesOf(pool);
    const found = { durations: [], blocks: [], idles: [], lost: 0 };
    for (let page = 0; page < effort.slices; page += 1) {
      const begin = performance.now();
      found.blocks.push(
        await longestBlock(async () => check(await seriesOf(pool), GAUGES * workers * ranks, 'series')),
      );
      found.durations.push(performance.now() - begin);
      found.idles.push(await longestBlock(() => sleep(performance.now() - begin)));
    }
    found.lost = await flow.stop();
    counting.unsubscribe();
    return select(found);
  };
}

/** @param {import('../bench-fleet.js').BenchFleet} fleet */
function latenciesOf(fleet) {
  const latencies = new WorkerLatencies();
  for (const workerId of idsOf(fleet)) {
    for (let dpRank = 0; dpRank < fleet.ranks; dpRank += 1) {
      const of = /** @type {const} */ ({ workerId, dpRank, workerType: 'decode' });
      latencies.firstToken(of, 0.108308915 + dpRank, 28 + dpRank);
      latencies.laterToken(of, 0.02707075 + dpRank);
    }
  }
  return latencies;
}

/**
 * Makes a page and counts the series of Dynamo's five gauges on it.
 *
 * @param {import('tidemark/prometheus').PoolMetrics} pool
 */
async function seriesOf(pool) {
  const wanted = Buffer.from('\ndynamo_frontend_worker_');
  let series = 0;
  for await (const chunk of renderMetrics([pool])) {
    const page = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    // Lines are not split, so only the first line of a chunk has no line break before it.
    for (let at = page.indexOf(wanted); at !== -1; at = page.indexOf(wanted, at + 1)) series += 1;
    if (page.subarray(0, wanted.length - 1).equals(wanted.subarray(1))) series += 1;
  }
  return series;
}

/**
 * The longest time that the event loop was held up during some work, in milliseconds, to one of these exactly.
 *
 * @param {() => Promise<unknown>} work
 */
async function longestBlock(work) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  // What held it up at the very end is noticed with the next turn.
  await sleep(2);
  delay.disable();
  return delay.max / 1e6;
}

/**
 * @param {import('../bench-fleet.js').BenchFleet} fleet
 * @param {import('rxjs').Subject<unknown>} loads
 */
function startFlow({ workers, ranks }, loads) {
  const decoder = new LoadBatchDecoder(POLICY);
  const accounting = new LoadAccounting();
  const talker = new Worker(new URL('../scrape/load-publisher.js', import.meta.url), {
    workerData: { workers, ranks, perSecond: PER_SECOND },
  });
  let taken = 0;
  /** @type {(sent: number) => void} */
  let stopped = () => undefined;
  talker.on('message', ({ sent, bytes, bounds }) => {
    if (sent !== undefined) return stopped(sent);
    accounting.setTime(performance.now(), Date.now());
    decoder.setReceivedAt(performance.timeOrigin + performance.now());
    decoder.clear();
    for (let i = 0; i + 1 < bounds.length; i += 1) {
      const message = bytes.subarray(bounds[i], bounds[i + 1]);
      if (decoder.add(message) !== null) throw new Error('refused');
      accounting.countLoad(decoder.header, message.length);
    }
    loads.next(decoder.batch);
    taken += bounds.length - 1;
  });
  return {
    everyRankSpoke: async () => {
      while (taken < workers * ranks) await sleep(10);
    },
    /** @returns {Promise<number>} */
    stop: async () => {
      const sent = await new Promise((resolve) => {
        stopped = resolve;
        talker.postMessage('stop');
      });
      await talker.terminate();
      const { sequences } = accounting.snapshot();
      check(sequences.late, 0, 'late loads');
      return sent - taken + sequences.missing;
    },
  };
}
