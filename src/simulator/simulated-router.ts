import type { WorkerId } from '../core/worker-id.js';
import { type SimulatedEvent, encodeChanges } from './encode-changes.js';
import { FleetPlanError, type FleetPlan, validateFleetPlan } from './fleet-plan.js';
import {
  type Random,
  type SimulatedChange,
  type SimulatedWorker,
  TICK_MS,
  TOTAL_KV_BLOCKS,
  seededRandom,
  simulatedWorkers,
} from './simulated-worker.js';

/** A simulated fleet that serves requests. */
export interface RouterPlan extends FleetPlan {
  /**
   * The average load that the requests would cause if all were accepted, as a fraction of what the fleet can hold. Above
   * 0, at most 10; 0.75 when absent.
   */
  readonly demand?: number;
}

/** The requests so far. */
export interface RequestCounts {
  /** Sent to a worker. */
  routed: number;
  /** Rejected, because every worker of a role was busy or absent. */
  rejected: number;
  /** Ended early, because a worker left. */
  lost: number;
}

/** One rank: the sums of its requests, and the time at which its prefill queue is empty. */
interface Rank {
  readonly dpRank: number;
  blocks: number;
  tokens: number;
  prefillsUntil: number;
}

interface Request {
  readonly worker: SimulatedWorker;
  readonly rank: Rank;
  readonly blocks: number;
  readonly endsAt: number;
  readonly prefillWorker: SimulatedWorker;
  readonly prefillRank: Rank;
  readonly tokens: number;
  readonly prefilledAt: number;
}

const DEFAULT_DEMAND = 0.75;
const MAX_DEMAND = 10;
const MEAN_BLOCKS = 40;
const MEAN_TOKENS = 512;
const MEAN_DURATION_MS = 8_000;

/**
 * Simulates a fleet with a router that avoids busy workers, as the bytes that the fleet writes: what a monitor says changes
 * the load.
 *
 * 1. Requests arrive at random times with random sizes. They depend only on the seed.
 * 2. A request goes to a random present worker for which `isBusy` returns false, and to its rank with the fewest KV blocks.
 *    Without such a worker it is rejected, as a Dynamo frontend does.
 * 3. It occupies KV blocks until it ends, and prefill tokens until the rank has processed those that came before. With
 *    prefill workers in the plan, the tokens are those of a second worker, which is chosen in the same way.
 * 4. Five times per second, every rank publishes the sums of its requests. `isBusy` is called when the events of such a
 *    moment are requested: the same seed and the same answers give the same bytes.
 *
 * @throws FleetPlanError with all problems of the plan
 *
 * @example
 * ```ts
 * import { policies } from 'tidemark';
 * import { SimulatedRouter } from 'tidemark/simulator';
 *
 * const plan = { seed: 1, workers: 2, ranks: 1, durationMs: 5000, startedAt: 0, policy: policies['dynamo-1.6'] };
 * const router = new SimulatedRouter(plan, () => true);
 * console.log([...router].length, router.counts);
 * // Logs: 52 { routed: 0, rejected: 15, lost: 0 }
 * ```
 *
 * @see {@link simulateFleet}
 */
export class SimulatedRouter implements Iterable<SimulatedEvent> {
  /** The requests so far. */
  readonly counts: Readonly<RequestCounts>;
  private readonly run: RouterRun;

  constructor(
    private readonly plan: RouterPlan,
    isBusy: (workerId: WorkerId) => boolean,
  ) {
    this.run = new RouterRun(plan, ({ workerId }) => isBusy(workerId));
    this.counts = this.run.counts;
  }

  /** The events of the fleet, from the start. A router runs once. */
  [Symbol.iterator](): Iterator<SimulatedEvent, void, undefined> {
    return encodeChanges(this.run.changes(), this.plan);
  }
}

/** One run of a {@link SimulatedRouter}, with its changes before they are encoded. */
export class RouterRun {
  readonly counts: RequestCounts = { routed: 0, rejected: 0, lost: 0 };
  private readonly workers: readonly SimulatedWorker[];
  private readonly ranks: ReadonlyMap<SimulatedWorker, readonly Rank[]>;
  private readonly choose: Random;
  private readonly tokensPerMs: number;
  private readonly arrivals: Iterator<Arrival, never>;
  private active: Request[] = [];

  constructor(
    private readonly plan: RouterPlan,
    private readonly isBusy: (worker: SimulatedWorker) => boolean,
  ) {
    validateRouterPlan(plan);
    const { seed, ranks, demand = DEFAULT_DEMAND } = plan;
    const random = seededRandom(seed);
    this.workers = simulatedWorkers(plan, random);
    this.ranks = new Map(this.workers.map((worker) => [worker, Array.from({ length: ranks }, newRank)]));
    this.choose = random;
    const prefillRanks = (plan.prefillWorkers ?? 0) > 0 ? (plan.prefillWorkers ?? 0) : plan.workers;
    const perMs = (demand * plan.workers * ranks * TOTAL_KV_BLOCKS) / (MEAN_BLOCKS * MEAN_DURATION_MS);
    this.tokensPerMs = (perMs * MEAN_TOKENS) / (demand * prefillRanks * ranks);
    // A source of its own: the requests are the same whatever the router does.
    this.arrivals = arrivals(perMs, seededRandom(seed + 1));
  }

  *changes(): Generator<SimulatedChange, void, undefined> {
    let next = this.arrivals.next().value;
    for (let at = 0; at < this.plan.durationMs; at += TICK_MS) {
      for (const worker of this.workers) yield* worker.presence(at);
      this.endRequests(at);
      const decoding = this.free('decode', at);
      const prefilling = (this.plan.prefillWorkers ?? 0) > 0 ? this.free('prefill', at) : null;
      for (; next.at <= at; next = this.arrivals.next().value) this.route(next, decoding, prefilling);
      for (const [worker, ranks] of this.ranks) {
        if (!worker.isPresent(at)) continue;
        for (const { dpRank, blocks, tokens } of ranks) {
          // A full rank cannot use more blocks than it has.
          yield { at, worker, load: worker.load(dpRank, Math.min(blocks, TOTAL_KV_BLOCKS), tokens) };
        }
      }
    }
  }

  /** Removes the requests that ended, and sums up the others. */
  private endRequests(at: number): void {
    for (const ranks of this.ranks.values()) for (const rank of ranks) rank.blocks = rank.tokens = 0;
    this.active = this.active.filter((request) => {
      const { worker, prefillWorker, endsAt } = request;
      if (endsAt <= at) return false;
      if (!worker.isPresent(at) || (!prefillWorker.isPresent(at) && request.prefilledAt > at)) {
        this.counts.lost += 1;
        return false;
      }
      request.rank.blocks += request.blocks;
      if (request.prefilledAt > at) request.prefillRank.tokens += request.tokens;
      return true;
    });
  }

  private free(role: 'decode' | 'prefill', at: number): readonly SimulatedWorker[] {
    return this.workers.filter(
      (worker) =>
        (worker.role === 'prefill') === (role === 'prefill') && worker.isPresent(at) && !this.isBusy(worker),
    );
  }

  private route(
    { at, blocks, tokens, durationMs }: Arrival,
    decoding: readonly SimulatedWorker[],
    prefilling: readonly SimulatedWorker[] | null,
  ): void {
    const worker = this.pick(decoding);
    const prefillWorker = prefilling === null ? worker : this.pick(prefilling);
    if (worker === undefined || prefillWorker === undefined) {
      this.counts.rejected += 1;
      return;
    }
    const rank = least(this.ranks.get(worker) ?? [], ({ blocks }) => blocks);
    const prefillRank =
      prefilling === null ? rank : least(this.ranks.get(prefillWorker) ?? [], ({ tokens }) => tokens);
    prefillRank.prefillsUntil = Math.max(prefillRank.prefillsUntil, at) + tokens / this.tokensPerMs;
    rank.blocks += blocks;
    prefillRank.tokens += tokens;
    this.counts.routed += 1;
    this.active.push({
      ...{ worker, rank, blocks, endsAt: at + durationMs },
      ...{ prefillWorker, prefillRank, tokens, prefilledAt: prefillRank.prefillsUntil },
    });
  }

  private pick(workers: readonly SimulatedWorker[]): SimulatedWorker | undefined {
    return workers[Math.floor(this.choose() * workers.length)];
  }
}

/** A request that arrives. */
interface Arrival {
  readonly at: number;
  readonly blocks: number;
  readonly tokens: number;
  readonly durationMs: number;
}

/** A Poisson stream of requests. */
function* arrivals(perMs: number, random: Random): Generator<Arrival, never> {
  const exponential = (mean: number): number => -Math.log(1 - random()) * mean;
  for (let at = 0; ;) {
    at += exponential(1 / perMs);
    const blocks = Math.ceil(exponential(MEAN_BLOCKS));
    const tokens = Math.ceil(exponential(MEAN_TOKENS));
    yield { at, blocks, tokens, durationMs: exponential(MEAN_DURATION_MS) };
  }
}

function newRank(_: unknown, dpRank: number): Rank {
  return { dpRank, blocks: 0, tokens: 0, prefillsUntil: 0 };
}

/** The first of the ranks with the least value. A plan has at least one rank. */
function least(ranks: readonly Rank[], value: (rank: Rank) => number): Rank {
  return ranks.reduce((best, rank) => (value(rank) < value(best) ? rank : best));
}

/** @throws FleetPlanError with all problems */
function validateRouterPlan(plan: RouterPlan): void {
  validateFleetPlan(plan);
  const { demand = DEFAULT_DEMAND } = plan;
  if (!(demand > 0 && demand <= MAX_DEMAND))
    throw new FleetPlanError([`demand must be above 0 and at most ${MAX_DEMAND}, not ${demand}`]);
}
