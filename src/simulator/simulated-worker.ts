import type { ActiveLoad, RuntimeConfig } from '../core/events/fleet-event.js';
import type { EndpointName, WorkerRole } from '../core/sources/worker-info.js';
import { type WorkerId, workerIdFromBigInt } from '../core/worker-id.js';
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

/** What happens in a simulated fleet: a worker joins or leaves, or a rank of it has a load. */
export type SimulatedChange =
  | { readonly at: number; readonly worker: SimulatedWorker; readonly isPresent: boolean }
  | { readonly at: number; readonly worker: SimulatedWorker; readonly load: ActiveLoad };

/** The time between two loads of a rank. */
export const TICK_MS = 200;
export const TOTAL_KV_BLOCKS = 1000;
const MAX_BATCHED_TOKENS = 8192;
/** The model of simulated workers, unless the plan names another. */
export const DEMO_MODEL = 'demo-model';
/** The namespace of workers that are simulated on real servers, where no real worker registers. */
export const SIMULATION_NAMESPACE = 'tidemark-simulation';
/** The endpoint of simulated workers. */
const SIMULATED_ENDPOINT = { namespace: 'demo', component: 'backend', endpoint: 'generate' };
/** The endpoint of simulated prefill workers. */
const SIMULATED_PREFILL_ENDPOINT = { ...SIMULATED_ENDPOINT, component: 'prefill' };

/** The workers of a plan: first those that decode, then the prefill workers. */
export function simulatedWorkers(plan: FleetPlan, random: Random): readonly SimulatedWorker[] {
  const { workers, prefillWorkers = 0 } = plan;
  return Array.from({ length: workers + prefillWorkers }, (_, index) => {
    // Real ids are lease ids: 63 bits, far above 2^53.
    const id = (BigInt(Math.floor(random() * 2 ** 31)) << 32n) | BigInt(Math.floor(random() * 2 ** 32));
    const role = index >= workers ? 'prefill' : prefillWorkers > 0 ? 'decode' : 'aggregated';
    return new SimulatedWorker(workerIdFromBigInt(id), role, plan, random);
  });
}

/** One worker of a simulated fleet: what it is, when it is present, and the load of its ranks. */
export class SimulatedWorker {
  readonly endpoint: EndpointName;
  readonly config: RuntimeConfig;
  private wasPresent = false;
  private readonly periodMs: number;
  private readonly phase: number;
  private readonly skew: readonly number[];
  /** The period in which the worker is away; most workers are never away. */
  private readonly away: readonly [number, number];
  private readonly reportsUsedBlocks: boolean;

  constructor(
    readonly workerId: WorkerId,
    readonly role: WorkerRole,
    plan: FleetPlan,
    private readonly random: Random,
  ) {
    this.endpoint = role === 'prefill' ? SIMULATED_PREFILL_ENDPOINT : SIMULATED_ENDPOINT;
    this.config = {
      totalKvBlocks: TOTAL_KV_BLOCKS,
      maxNumBatchedTokens: MAX_BATCHED_TOKENS,
      dataParallelStartRank: 0,
      dataParallelSize: plan.ranks,
    };
    this.periodMs = 4000 + 6000 * random();
    this.phase = 2 * Math.PI * random();
    this.skew = Array.from({ length: plan.ranks }, () => 0.08 * (random() - 0.5));
    const leaves = random() < 0.4 ? (0.2 + 0.4 * random()) * plan.durationMs : Infinity;
    this.away = [leaves, leaves + 0.2 * plan.durationMs];
    this.reportsUsedBlocks = usesNewLayout(plan);
  }

  isPresent(at: number): boolean {
    return at < this.away[0] || at >= this.away[1];
  }

  /** Whether the worker joined or left since the last call. */
  *presence(at: number): Generator<SimulatedChange> {
    const isPresent = this.isPresent(at);
    if (isPresent !== this.wasPresent) yield { at, worker: this, isPresent };
    this.wasPresent = isPresent;
  }

  /** A load that rises and falls in waves. */
  wave(at: number, dpRank: number): ActiveLoad {
    const wave = Math.sin((2 * Math.PI * at) / this.periodMs + this.phase);
    const fill = 0.6 + 0.4 * wave + (this.skew[dpRank] ?? 0) + 0.03 * (this.random() - 0.5);
    const share = Math.min(Math.max(fill, 0), 1);
    if (this.role === 'prefill')
      return this.load(dpRank, 0.1 * share * TOTAL_KV_BLOCKS, 2 * share * MAX_BATCHED_TOKENS);
    const tokens = this.role === 'decode' ? 0 : Math.max(wave, 0) * 2 * this.random();
    return this.load(dpRank, TOTAL_KV_BLOCKS * share, MAX_BATCHED_TOKENS * tokens);
  }

  /** The load of a rank with these KV blocks and prefill tokens. */
  load(dpRank: number, kvBlocks: number, prefillTokens: number): ActiveLoad {
    const blocks = Math.round(kvBlocks);
    const reported = this.reportsUsedBlocks
      ? { activeDecodeBlocks: null, kvUsedBlocks: blocks }
      : { activeDecodeBlocks: blocks, kvUsedBlocks: null };
    return { workerId: this.workerId, dpRank, activePrefillTokens: Math.round(prefillTokens), ...reported };
  }
}

/** Whether the workers of a plan write the keys and bytes of 1.6. */
export function usesNewLayout({ policy }: FleetPlan): boolean {
  return Math.max(...policy.wire.positionalFields) === 5;
}
