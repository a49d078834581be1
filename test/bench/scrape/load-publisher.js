import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { parentPort, workerData } from 'node:worker_threads';
import { benchFleet } from '../bench-fleet.js';
import { MessageMaker } from '../message-maker.js';

// Publishes numbered loads of a fleet, at a given rate, on a separate thread until it receives `stop`; then it reports
// their number.

const { workers, ranks, perSecond } = workerData;
const maker = new MessageMaker(benchFleet({ workers, ranks }), { numbered: true });
/** A thread that the machine stopped for a while catches up in chunks, as through a socket, and not all at once. */
const MOST = 512;
const begin = performance.now();
let sent = 0;

const timer = setInterval(() => {
  const due = Math.floor(((performance.now() - begin) * perSecond) / 1000) - sent;
  if (due > 0) send(Math.min(due, MOST));
}, 1);

parentPort?.once('message', () => {
  clearInterval(timer);
  parentPort?.postMessage({ sent });
});

/** @param {number} count */
function send(count) {
  const messages = new Array(count);
  maker.fill(messages);
  const bounds = new Uint32Array(count + 1);
  messages.forEach((message, i) => (bounds[i + 1] = bounds[i] + message.length));
  const bytes = new Uint8Array(bounds[count]);
  messages.forEach((message, i) => bytes.set(message, bounds[i]));
  sent += count;
  parentPort?.postMessage({ bytes, bounds }, [bytes.buffer, bounds.buffer]);
}
