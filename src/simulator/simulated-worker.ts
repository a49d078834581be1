import type { ActiveLoad } from '../core/events/fleet-event.js';
import type { WorkerId } from '../core/worker-id.js';
import { instanceKey, modelKey } from '../dynamo/discovery/discovery-keys.js';
import { encodeInstanceRecord, encodeModelRecord } from '../wire/discovery/encode-discovery-record.js';
import { encodeActiveLoad, encodeActiveLoadJson, encodeEnvelope } from '../wire/loads/load-encoder.js';
import { loadSubject } from '../dynamo/loads/subjects.js';
import type { FleetPlan } from './fleet-plan.js';

/** A source of numbers in [0, 1) that gives the same numbers for the same seed, on every platform. */
export type Random = () => number;

/** Mulberry32: 32 bits of state suffice for a simulation, and the numbers are the same on every platform. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * An event of a simulated fleet, with the bytes of a real one: a message on a subject, or a key of the discovery backend that
 * is written, or removed if `value` is empty. `at` is the time since the start in milliseconds, and never decreases.
 */
export type SimulatedEvent =
  | { readonly at: number; readonly subject: string; readonly payload: Uint8Array }
  | { readonly at: number; readonly key: string; readonly value: Uint8Array };

const TOTAL_KV_BLOCKS = 1000;
const MAX_BATCHED_TOKENS = 8192;
/** The model of simulated workers, unless the plan names another. */
export const DEMO_MODEL = 'demo-model';
/** The endpoint of simulated workers. */
export const SIMULATED_ENDPOINT = { namespace: 'demo', component: 'backend', endpoint: 'generate' };
const EMPTY_VALUE = new Uint8Array(0);

/** One worker of a simulated fleet: when it is present, and the load of its ranks. */
export class SimulatedWorker {
  private sequence = 0;
  private isPresent = false;
  private readonly periodMs: number;
  private readonly phase: number;
  private readonly skew: readonly number[];
  /** The period in which the worker is away; most workers are never away. */
  private readonly away: readonly [number, number];
  private readonly usesNewLayout: boolean;

  constructor(
    private readonly workerId: WorkerId,
    private readonly plan: FleetPlan,
    private readonly random: Random,
  ) {
    this.periodMs = 4000 + 6000 * random();
    this.phase = 2 * Math.PI * random();
    this.skew = Array.from({ length: plan.ranks }, () => 0.08 * (random() - 0.5));
    const leaves = random() < 0.4 ? (0.2 + 0.4 * random()) * plan.durationMs : Infinity;
    this.away = [leaves, leaves + 0.2 * plan.durationMs];
    this.usesNewLayout = Math.max(...plan.policy.wire.positionalFields) === 5;
  }

  /** The events of the worker at one moment. */
  *tick(at: number): Generator<SimulatedEvent> {
    const isPresent = at < this.away[0] || at >= this.away[1];
    if (isPresent !== this.isPresent) yield* this.registration(at, isPresent);
    this.isPresent = isPresent;
    if (!isPresent) return;
    for (let dpRank = 0; dpRank < this.plan.ranks; dpRank += 1) {
      yield { at, subject: this.subject(), payload: this.message(at, this.load(at, dpRank)) };
    }
  }

  private *registration(at: number, isPresent: boolean): Generator<SimulatedEvent> {
    const address = { ...SIMULATED_ENDPOINT, instanceId: this.workerId };
    const layout = { release: this.usesNewLayout ? '1.6' : '1.0' } as const;
    const transport = { kind: 'tcp', address: '127.0.0.1:9000' } as const;
    const runtimeConfig = {
      totalKvBlocks: TOTAL_KV_BLOCKS,
      maxNumBatchedTokens: MAX_BATCHED_TOKENS,
      dataParallelStartRank: 0,
      dataParallelSize: this.plan.ranks,
    };
    const instance = encodeInstanceRecord({ ...address, transport }, layout);
    const card = encodeModelRecord(
      { ...address, model: this.plan.model ?? DEMO_MODEL, runtimeConfig },
      layout,
    );
    yield { at, key: instanceKey(address), value: isPresent ? instance : EMPTY_VALUE };
    yield { at, key: modelKey(address), value: isPresent ? card : EMPTY_VALUE };
  }

  private load(at: number, dpRank: number): ActiveLoad {
    const wave = Math.sin((2 * Math.PI * at) / this.periodMs + this.phase);
    const fill = 0.6 + 0.4 * wave + (this.skew[dpRank] ?? 0) + 0.03 * (this.random() - 0.5);
    const blocks = Math.round(TOTAL_KV_BLOCKS * Math.min(Math.max(fill, 0), 1));
    const tokens = Math.round(MAX_BATCHED_TOKENS * Math.max(wave, 0) * 2 * this.random());
    const reported = this.usesNewLayout
      ? { activeDecodeBlocks: null, kvUsedBlocks: blocks }
      : { activeDecodeBlocks: blocks, kvUsedBlocks: null };
    return { workerId: this.workerId, dpRank, activePrefillTokens: tokens, ...reported };
  }

  private subject(): string {
    return this.usesNewLayout
      ? loadSubject(SIMULATED_ENDPOINT)
      : loadSubject({ namespace: SIMULATED_ENDPOINT.namespace });
  }

  private message(at: number, load: ActiveLoad): Uint8Array {
    if (!this.plan.policy.wire.formats.includes('envelope')) return encodeActiveLoadJson(load);
    const header = {
      publisherId: this.workerId,
      sequence: this.sequence,
      publishedAt: this.plan.startedAt + at,
    };
    this.sequence += 1;
    return encodeEnvelope(header, encodeActiveLoad(load, this.usesNewLayout ? 5 : 4));
  }
}
