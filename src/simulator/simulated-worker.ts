import type { ActiveLoad } from '../core/active-load.js';
import type { WorkerId } from '../core/worker-id.js';
import { instanceKey, modelKey } from '../wire/build-discovery-key.js';
import { encodeInstanceRecord, encodeModelRecord } from '../wire/encode-discovery-record.js';
import { encodeActiveLoad, encodeActiveLoadJson, encodeEnvelope } from '../wire/load-encoder.js';
import { loadSubject } from '../wire/subjects.js';
import type { FleetPlan } from './fleet-plan.js';
import type { Random } from './random.js';
import type { SimulatedFact } from './simulated-fact.js';

const TOTAL_KV_BLOCKS = 1000;
const MAX_BATCHED_TOKENS = 8192;
/** What every simulated worker serves, unless the plan says otherwise. */
export const DEMO_MODEL = 'demo-model';
/** Where every simulated worker serves. */
export const SIMULATED_ENDPOINT = { namespace: 'demo', component: 'backend', endpoint: 'generate' };
const nothing = new Uint8Array(0);

/** One worker of a simulated fleet: when it is there, and how loaded its ranks are. */
export class SimulatedWorker {
  private sequence = 0;
  private present = false;
  private readonly periodMs: number;
  private readonly phase: number;
  private readonly skew: readonly number[];
  /** From when to when the worker is away; never, for most. */
  private readonly away: readonly [number, number];
  private readonly newLayout: boolean;

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
    this.newLayout = Math.max(...plan.policy.wire.positionalFields) === 5;
  }

  /** What the worker does at one moment. */
  *tick(at: number): Generator<SimulatedFact> {
    const present = at < this.away[0] || at >= this.away[1];
    if (present !== this.present) yield* this.registration(at, present);
    this.present = present;
    if (!present) return;
    for (let dpRank = 0; dpRank < this.plan.ranks; dpRank += 1) {
      yield { at, subject: this.subject(), payload: this.message(at, this.load(at, dpRank)) };
    }
  }

  private *registration(at: number, present: boolean): Generator<SimulatedFact> {
    const address = { ...SIMULATED_ENDPOINT, instanceId: this.workerId };
    const layout = { release: this.newLayout ? '1.6' : '1.0' } as const;
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
    yield { at, key: instanceKey(address), value: present ? instance : nothing };
    yield { at, key: modelKey(address), value: present ? card : nothing };
  }

  private load(at: number, dpRank: number): ActiveLoad {
    const wave = Math.sin((2 * Math.PI * at) / this.periodMs + this.phase);
    const fill = 0.6 + 0.4 * wave + (this.skew[dpRank] ?? 0) + 0.03 * (this.random() - 0.5);
    const blocks = Math.round(TOTAL_KV_BLOCKS * Math.min(Math.max(fill, 0), 1));
    const tokens = Math.round(MAX_BATCHED_TOKENS * Math.max(wave, 0) * 2 * this.random());
    const reported = this.newLayout
      ? { activeDecodeBlocks: null, kvUsedBlocks: blocks }
      : { activeDecodeBlocks: blocks, kvUsedBlocks: null };
    return { workerId: this.workerId, dpRank, activePrefillTokens: tokens, ...reported };
  }

  private subject(): string {
    return this.newLayout
      ? loadSubject(SIMULATED_ENDPOINT)
      : loadSubject({ namespace: SIMULATED_ENDPOINT.namespace });
  }

  private message(at: number, load: ActiveLoad): Uint8Array {
    if (!this.plan.policy.wire.formats.includes('envelope')) return encodeActiveLoadJson(load);
    const head = {
      publisherId: this.workerId,
      sequence: this.sequence,
      publishedAt: this.plan.startedAt + at,
    };
    this.sequence += 1;
    return encodeEnvelope(head, encodeActiveLoad(load, this.newLayout ? 5 : 4));
  }
}
