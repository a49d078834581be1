import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpuUsage, execPath, hrtime } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, URL } from 'node:url';
import { connect } from 'nats';
import { monotonicScheduler } from 'tidemark/clock';
import { receiveLoads } from 'tidemark/dynamo';
import { natsMessages } from 'tidemark/nats';
import { LoadDecoder } from 'tidemark/wire';
import { benchFleet, idsOf, POLICY, TOTAL_BLOCKS } from '../bench-fleet.js';
import { check, monitorOf } from '../bench-state.js';
import { median } from '../measure.js';
import { ACK, ACK_EVERY, clockOf, SUBJECT } from '../nats/protocol.js';

const publisher = fileURLToPath(new URL('../nats/load-publisher.js', import.meta.url));

/**
 * The calibration: a callback of the client that counts and does nothing else.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function natsNothing(input) {
  return taken(input, async (count) => {
    const connection = await connect({ servers: input.server });
    connection.subscribe(SUBJECT, { callback: () => count(1) });
    await connection.flush();
    return { end: () => connection.close() };
  });
}

/**
 * The loads of a server, as `dynamoFleet` receives them.
 *
 * @param {string} servers
 * @param {'objects' | 'columns'} form
 */
function loadsFrom(servers, form) {
  return receiveLoads(natsMessages({ servers }), { form, scheduler: monotonicScheduler });
}

/**
 * `receiveLoads` in objects → `loadMonitor` → a subscriber of `busy$`.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function natsObjects(input) {
  return taken(input, (count) => monitored(input, loadsFrom(input.server, 'objects'), () => count(1)));
}

/**
 * `receiveLoads` in columns → `loadMonitor` → a subscriber of `busy$`.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function natsColumns(input) {
  return taken(input, (count) =>
    monitored(input, loadsFrom(input.server, 'columns'), (batch) => count(batch.count)),
  );
}

/**
 * The calibration of the latency: from `publish` in another process to a callback of the client that decodes the load.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function natsLatencyNothing(input) {
  return waited(input, async (came) => {
    const connection = await connect({ servers: input.server });
    const decoder = new LoadDecoder(POLICY);
    connection.subscribe(SUBJECT, {
      callback: (_, { data }) => came(decoder.decode(data).load.activePrefillTokens),
    });
    await connection.flush();
    return () => connection.close();
  });
}

/**
 * From `publish` in another process to `busy$`, each message a flip of a worker.
 *
 * @param {import('../cases.js').CaseInput} input
 */
export function natsLatency(input) {
  const { workers, ranks, server: servers } = input;
  return waited(input, async (came) => {
    const fleet = benchFleet({ workers, ranks });
    const { loads, monitor } = monitorOf(fleet);
    // A worker is busy when all its ranks are: rank 0, of which the messages are, decides.
    const above = { activeDecodeBlocks: TOTAL_BLOCKS, activePrefillTokens: null, kvUsedBlocks: TOTAL_BLOCKS };
    for (const workerId of idsOf(fleet))
      for (let dpRank = 1; dpRank < ranks; dpRank += 1)
        loads.next({ kind: 'load', workerId, dpRank, ...above });
    const { loads$, status$ } = loadsFrom(servers, 'columns');
    let [sent, row] = [new Float64Array(1), 0];
    const listening = loads$.subscribe((batch) => {
      sent = batch.activePrefillTokens;
      row = 0;
      loads.next(batch);
    });
    await live(status$, listening);
    // Every row is a flip.
    listening.add(
      monitor.busy$.subscribe(() => {
        came(sent[row]);
        row += 1;
      }),
    );
    return () => listening.unsubscribe();
  });
}

/**
 * The median of the times between publishing, ten thousand messages a second, and coming: wall time.
 *
 * @param {import('../cases.js').CaseInput} input
 * @param {(came: (sentAt: number) => void) => Promise<() => unknown>} listen
 */
function waited(input, listen) {
  const { warmUp, slices, slice } = input.effort;
  return besideSpeaker(input, 'flips', async (ack) => {
    let waits = [];
    const end = await listen((sentAt) => waits.push((clockOf(hrtime.bigint()) - sentAt) >>> 0));
    ack();
    await sleep(warmUp.milliseconds * 5);
    waits = [];
    await sleep(slices * slice.milliseconds * 10);
    await end();
    if (waits.length < 100) throw new Error(`only ${waits.length} flips arrived`);
    return median(waits) * 1_000;
  });
}

/**
 * The processor time of this process for one message, nanoseconds: the median of slices.
 *
 * @param {import('../cases.js').CaseInput} input
 * @param {(count: (messages: number) => void) => Promise<{ end: () => unknown }>} listen
 */
function taken(input, listen) {
  const { warmUp, slices, slice } = input.effort;
  return besideSpeaker(input, 'fast', async (ack) => {
    let [messages, acked, sliceAt, warm] = [0, 0, 0, false];
    let begin = cpuUsage();
    const found = [];
    const { promise, resolve } = withResolvers();
    const { end } = await listen((more) => {
      messages += more;
      while (messages - acked >= ACK_EVERY) {
        acked += ACK_EVERY;
        ack();
      }
      if (messages - sliceAt < Math.max(ACK_EVERY, warm ? slice.events : warmUp.events)) return;
      const { user, system } = cpuUsage(begin);
      if (warm) found.push(((user + system) * 1e3) / (messages - sliceAt));
      warm = true;
      sliceAt = messages;
      if (found.length === slices) resolve();
      begin = cpuUsage();
    });
    ack();
    await promise;
    await end();
    return median(found);
  });
}

/**
 * @param {import('../cases.js').CaseInput} input
 * @param {import('tidemark/dynamo').ReceivedLoads<unknown>} source
 * @param {(load: any) => void} count
 */
async function monitored({ workers, ranks }, { loads$, accounting$, status$ }, count) {
  const fleet = benchFleet({ workers, ranks });
  const { loads, seen } = monitorOf(fleet);
  let account = null;
  const listening = loads$.subscribe((load) => {
    loads.next(load);
    count(load);
  });
  listening.add(accounting$.subscribe((report) => (account = report.account)));
  await live(status$, listening);
  return {
    end: async () => {
      // The account is reported once a second.
      await sleep(1_200);
      listening.unsubscribe();
      check(seen.busy, fleet.busyCount, 'busy workers');
      check(account?.sequences.missing, 0, 'missing messages');
      check(account?.failed, 0, 'messages that cannot be read');
    },
  };
}

/**
 * @param {import('tidemark/dynamo').ReceivedLoads<unknown>['status$']} status$
 * @param {import('rxjs').Subscription} listening
 * @returns {Promise<void>}
 */
function live(status$, listening) {
  return new Promise((resolve) => {
    listening.add(status$.subscribe(({ state }) => state === 'live' && resolve()));
  });
}

/**
 * Does work beside a process that publishes; `ack` lets that begin, and go on.
 *
 * @template T
 * @param {import('../cases.js').CaseInput} input
 * @param {'fast' | 'flips'} how
 * @param {(ack: () => void) => Promise<T>} work
 */
async function besideSpeaker({ workers, ranks, server }, how, work) {
  if (server === undefined) throw new Error('a case of NATS needs a server: --server');
  const child = spawn(execPath, [publisher, server, how, String(workers), String(ranks)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    const acks = await connect({ servers: server });
    const value = await work(() => acks.publish(ACK));
    await acks.close();
    return value;
  } finally {
    child.kill();
    await once(child, 'exit');
  }
}

function withResolvers() {
  let resolve = () => {};
  const promise = new Promise((done) => (resolve = () => done(undefined)));
  return { promise, resolve };
}
