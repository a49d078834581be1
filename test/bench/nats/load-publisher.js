import { argv, hrtime, stdout } from 'node:process';
import { setImmediate as turn } from 'node:timers/promises';
import { connect } from 'nats';
import { encodeActiveLoad, encodeEnvelope } from 'tidemark/wire';
import { rawPublisher } from './raw-publisher.js';
import { benchFleet, idOf, TOTAL_BLOCKS } from '../bench-fleet.js';
import { MessageMaker } from '../message-maker.js';
import { ACK, ACK_EVERY, clockOf, PER_SECOND, SUBJECT } from './protocol.js';

// Publishes the loads of a fleet to a NATS server, in a separate process, until it is ended: `fast`, as many as are
// acknowledged, or `flips`, evenly, each of which takes one worker above or below its thresholds.

/** The most messages in transit: far below what makes a server disconnect a slow subscriber. */
const AHEAD = 4 * ACK_EVERY;
const BURST = 512;

const [url, how, workers, ranks] = argv.slice(2);
const connection = await connect({ servers: url });
const fleet = benchFleet({ workers: Number(workers), ranks: Number(ranks) });
let taken = -Infinity;
let wake = () => {};
connection.subscribe(ACK, {
  callback: () => {
    taken = taken === -Infinity ? 0 : taken + ACK_EVERY;
    wake();
  },
});
await connection.flush();
stdout.write('ready\n');
await (how === 'fast' ? fast() : flips());

async function fast() {
  const maker = new MessageMaker(fleet, { numbered: true });
  const messages = new Array(BURST);
  for (let sent = 0; ;) {
    if (sent - taken >= AHEAD) {
      // Waiting leaves the processor to the server and the subscriber.
      await new Promise((resolve) => (wake = () => resolve(undefined)));
      continue;
    }
    maker.fill(messages);
    for (const message of messages) connection.publish(SUBJECT, message);
    sent += BURST;
    if (sent % ACK_EVERY === 0) await turn();
  }
}

async function flips() {
  const publish = await rawPublisher(url);
  while (taken < 0) await turn();
  const begun = hrtime.bigint();
  for (let sent = 0; ;) {
    const due = (Number(hrtime.bigint() - begun) / 1e9) * PER_SECOND;
    if (sent < due) {
      publish(SUBJECT, flip(sent));
      sent += 1;
    }
    await turn();
  }
}

/** @param {number} sent how many were before; its time is where the tokens are, which no threshold checks */
function flip(sent) {
  const worker = sent % fleet.workers;
  const busy = Math.floor(sent / fleet.workers) % 2 === 0;
  const load = {
    workerId: idOf(fleet, worker),
    dpRank: 0,
    activeDecodeBlocks: busy ? TOTAL_BLOCKS : 0,
    activePrefillTokens: clockOf(hrtime.bigint()),
    kvUsedBlocks: busy ? TOTAL_BLOCKS : 0,
  };
  const head = {
    publisherId: idOf(fleet, worker),
    sequence: Math.floor(sent / fleet.workers),
    publishedAt: Date.now(),
  };
  return encodeEnvelope(head, encodeActiveLoad(load, 5));
}
