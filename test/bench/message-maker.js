import { encodeActiveLoad, encodeEnvelope, LoadDecoder } from 'tidemark/wire';
import { idOf, POLICY, TOTAL_BLOCKS } from './bench-fleet.js';
import { randomWords, shuffled } from './random.js';

const POOL = 512;
const PLACEHOLDER = 0x7fee_ddcc_bbaa_9988n;
/** From the end of the worker id to the rank: a byte of length and the text `dp_rank`. */
const TO_RANK = 8;
/** Where an envelope has its publisher of 64 bits, and after it its number of 32 bits. */
const PUBLISHER_AT = 15;
const NUMBER_AT = 33;
/** The first number that takes 32 bits, and more. */
const FIRST_NUMBER = 100_000;

/**
 * Makes messages of a fleet: real bytes from `encodeEnvelope` and `encodeActiveLoad`, of all the widths that such
 * numbers have, a separate buffer for each. About a thousand are encoded; before each use, outside of what is
 * timed, a worker's id and rank are written into one. So the bytes are as warm as if they came from a socket.
 */
export class MessageMaker {
  /**
   * @param {import('./bench-fleet.js').BenchFleet} fleet
   * @param {{ numbered?: boolean }} options whether each worker has a publisher, which numbers its messages in order
   */
  constructor(fleet, { numbered = false } = {}) {
    this.fleet = fleet;
    this.numbers = numbered ? new Uint32Array(fleet.workers).fill(FIRST_NUMBER) : undefined;
    this.random = randomWords(7);
    this.free = this.#pool(() => this.#below(0.6));
    this.busy = this.#pool(() => Math.round(TOTAL_BLOCKS * 0.9) + (this.random() % (TOTAL_BLOCKS * 0.1)));
    this.order = shuffled(fleet.workers * fleet.ranks, this.random);
    this.at = 0;
    this.#check();
  }

  /** The number of messages that report every rank once. */
  get round() {
    return this.order.length;
  }

  /**
   * Fills an array with messages, each of the rank that is next in a random order of all ranks.
   *
   * @param {Uint8Array[]} messages at most 512
   */
  fill(messages) {
    for (let i = 0; i < messages.length; i += 1) messages[i] = this.#next(i);
  }

  /** @param {number} position */
  #next(position) {
    const { fleet, order } = this;
    const one = order[this.at];
    this.at = this.at + 1 === order.length ? 0 : this.at + 1;
    const worker = Math.floor(one / fleet.ranks);
    const { view, idAt } = (fleet.busy[worker] === 1 ? this.busy : this.free)[position % POOL];
    view.setUint32(idAt, fleet.high[worker]);
    view.setUint32(idAt + 4, fleet.low[worker]);
    view.setUint8(idAt + 8 + TO_RANK, one % fleet.ranks);
    if (this.numbers !== undefined) this.#number(view, worker);
    return view.message;
  }

  /**
   * @param {DataView} view
   * @param {number} worker
   */
  #number(view, worker) {
    view.setUint32(PUBLISHER_AT, this.fleet.high[worker]);
    view.setUint32(PUBLISHER_AT + 4, this.fleet.low[worker]);
    view.setUint32(NUMBER_AT, this.numbers[worker]);
    this.numbers[worker] += 1;
  }

  /** @param {() => number} blocks */
  #pool(blocks) {
    return Array.from({ length: POOL }, () => {
      const used = blocks();
      const message = encoded(String(PLACEHOLDER), 0, {
        used,
        active: Math.max(0, used - (this.random() % 50)),
        tokens: this.random() % 8 === 0 ? 0 : this.random() % 8000,
        sequence: (this.random() % 100_000) + (this.numbers === undefined ? 0 : FIRST_NUMBER),
        publisherId: String((0x694d_98aan << 32n) | BigInt(this.random())),
      });
      const view = new DataView(message.buffer, message.byteOffset, message.length);
      let idAt = 0;
      while (view.getBigUint64(idAt) !== PLACEHOLDER) idAt += 1;
      return { view: Object.assign(view, { message }), idAt };
    });
  }

  /** @param {number} share */
  #below(share) {
    return this.random() % 8 === 0 ? this.random() % 300 : this.random() % (TOTAL_BLOCKS * share);
  }

  /** What is written into a message is what the encoder would have written. */
  #check() {
    const { fleet } = this;
    const worker = fleet.workers - 1;
    const rank = fleet.ranks - 1;
    const values = { used: 300, active: 5, tokens: 0, sequence: 9, publisherId: '9' };
    const wanted = encoded(idOf(fleet, worker), rank, values);
    const made = encoded(String(PLACEHOLDER), 0, values);
    const view = new DataView(made.buffer, made.byteOffset, made.length);
    let idAt = 0;
    while (view.getBigUint64(idAt) !== PLACEHOLDER) idAt += 1;
    view.setUint32(idAt, fleet.high[worker]);
    view.setUint32(idAt + 4, fleet.low[worker]);
    view.setUint8(idAt + 8 + TO_RANK, rank);
    if (!wanted.every((byte, i) => byte === made[i])) throw new Error('a message is not as encoded');
    if (this.numbers === undefined) return;
    const { view: numbered } = this.free[0];
    this.#number(numbered, worker);
    this.numbers[worker] = FIRST_NUMBER;
    const { load } = new LoadDecoder(POLICY).decode(numbered.message);
    if (load.publisherId !== idOf(fleet, worker) || load.sequence !== FIRST_NUMBER)
      throw new Error('a message is not numbered');
  }
}

/**
 * @param {string} workerId
 * @param {number} dpRank
 * @param {{ used: number, active: number, tokens: number, sequence: number, publisherId: string }} values
 */
function encoded(workerId, dpRank, { used, active, tokens, sequence, publisherId }) {
  const load = {
    workerId,
    dpRank,
    activeDecodeBlocks: active,
    activePrefillTokens: tokens,
    kvUsedBlocks: used,
  };
  return encodeEnvelope(
    { publisherId, sequence, publishedAt: 1_760_000_000_000 + sequence },
    encodeActiveLoad(load, 5),
  );
}
