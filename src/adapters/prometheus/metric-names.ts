/** One metric: its name and what belongs to it. It fits the constructors of prom-client as it is. */
export interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** In the order in which they are written. */
  readonly labelNames: readonly string[];
}

/**
 * Every metric that tidemark knows, and the rules it follows.
 *
 * 1. What Dynamo has keeps Dynamo's name, help and labels, to the letter; its labels come in the order of its pages.
 * 2. Ours begin with `tidemark_`, carry the labels of their pool, and follow Prometheus: base units, `_total` for
 *    what only grows, `_timestamp_seconds` for moments.
 * 3. The values of a label are bounded: by the fleet (`worker_id`, `dp_rank`), by a closed list (`worker_type`, `check`,
 *    `state`, `mark`, `direction`, `code`, `detached`), or by a limit (`source`, the pool's own).
 * 4. No metric has a series for what is not there.
 */
const worker = ['dp_rank', 'worker_id', 'worker_type'] as const;

/**
 * The five gauges that a Dynamo frontend has for each worker and rank. `dp_rank` is `none` on the latency gauges when
 * the request carried no rank. Source: pages of Dynamo 1.0.1 and 1.6.1.
 */
export const workerGauges = {
  /** From the state: what the rank reported last, from whichever side. */
  activeDecodeBlocks: {
    name: 'dynamo_frontend_worker_active_decode_blocks',
    type: 'gauge',
    help: 'Active KV cache decode blocks per worker',
    labelNames: worker,
  },
  activePrefillTokens: {
    name: 'dynamo_frontend_worker_active_prefill_tokens',
    type: 'gauge',
    help: 'Active prefill tokens queued per worker',
    labelNames: worker,
  },
  /** From the request path: the first token of a response, with the labels of the worker that prefilled. */
  lastTimeToFirstToken: {
    name: 'dynamo_frontend_worker_last_time_to_first_token_seconds',
    type: 'gauge',
    help: 'Last observed time to first token per worker (seconds)',
    labelNames: worker,
  },
  /** Together with the one before. */
  lastInputSequenceTokens: {
    name: 'dynamo_frontend_worker_last_input_sequence_tokens',
    type: 'gauge',
    help: 'Last observed input sequence tokens per worker',
    labelNames: worker,
  },
  /** From the request path: every later token, with the labels of the worker that decodes. */
  lastInterTokenLatency: {
    name: 'dynamo_frontend_worker_last_inter_token_latency_seconds',
    type: 'gauge',
    help: 'Last observed inter-token latency per worker (seconds)',
    labelNames: worker,
  },
} as const satisfies Record<string, Metric>;

/** Ours. All of them carry the labels of the pool besides. */
export const tidemarkMetrics = {
  connected: {
    name: 'tidemark_monitor_connected',
    type: 'gauge',
    help: 'Whether the monitor of the pool runs (1) or not (0)',
    labelNames: [],
  },
  poolWorkers: {
    name: 'tidemark_pool_workers',
    type: 'gauge',
    help: 'Workers by state: known are judged, held wait for discovery, marked were marked by the request path, instances and down are as discovery tells',
    labelNames: ['state'],
  },
  busy: {
    name: 'tidemark_worker_busy',
    type: 'gauge',
    help: 'Whether the worker is above its load marks (1) or not (0)',
    labelNames: ['worker_id'],
  },
  busySince: {
    name: 'tidemark_worker_busy_since_timestamp_seconds',
    type: 'gauge',
    help: 'Since when a busy worker is busy, in Unix time; free workers have no series',
    labelNames: ['worker_id'],
  },
  /** Only checks whose mark is set; `mark` stands for a mark of the request path, and is 0 or 1. */
  ranksAboveThreshold: {
    name: 'tidemark_worker_ranks_above_threshold',
    type: 'gauge',
    help: 'How many ranks of the worker are above the mark of a check',
    labelNames: ['check', 'worker_id'],
  },
  kvUsedBlocks: {
    name: 'tidemark_rank_kv_used_blocks',
    type: 'gauge',
    help: 'KV cache blocks in use by a rank, as the worker itself reported last',
    labelNames: ['dp_rank', 'worker_id'],
  },
  signalAge: {
    name: 'tidemark_rank_signal_age_seconds',
    type: 'gauge',
    help: 'How long ago the last load of a rank came',
    labelNames: ['dp_rank', 'worker_id'],
  },
  threshold: {
    name: 'tidemark_threshold',
    type: 'gauge',
    help: 'The load marks in force; a mark that is off has no series',
    labelNames: ['threshold'],
  },
  /** At most 64 sources of a pool, their names cut to 100 characters. */
  sourceState: {
    name: 'tidemark_source_state',
    type: 'gauge',
    help: 'Whether a source is in a state (1) or not (0)',
    labelNames: ['source', 'state'],
  },
  sourceStateSince: {
    name: 'tidemark_source_state_since_timestamp_seconds',
    type: 'gauge',
    help: 'Since when a source is in its state, in Unix time',
    labelNames: ['source'],
  },
  /** Counted while `counting$` is subscribed to, as are those below; a restart of the process begins at 0. */
  transitions: {
    name: 'tidemark_transitions_total',
    type: 'counter',
    help: 'Workers that became busy or free, by the check that told, or by what else it was: mark, unmarked, left, none',
    labelNames: ['check', 'direction'],
  },
  problems: {
    name: 'tidemark_problems_total',
    type: 'counter',
    help: 'What was wrong and was survived, in events, by code',
    labelNames: ['code'],
  },
  loadMessages: {
    name: 'tidemark_load_messages_total',
    type: 'counter',
    help: 'Load messages that came',
    labelNames: [],
  },
  loadsUndecodable: {
    name: 'tidemark_load_messages_undecodable_total',
    type: 'counter',
    help: 'Load messages that could not be decoded',
    labelNames: [],
  },
  sequenceGaps: {
    name: 'tidemark_load_sequence_gaps_total',
    type: 'counter',
    help: 'Gaps in the running numbers of the publishers of loads',
    labelNames: [],
  },
  loadsMissing: {
    name: 'tidemark_load_messages_missing_total',
    type: 'counter',
    help: 'Load messages whose numbers did not come, by whether we were cut off meanwhile',
    labelNames: ['detached'],
  },
} as const satisfies Record<string, Metric>;

const legacyWorker = ['component', 'endpoint', 'worker_id'] as const;

/** The set of Dynamo's metrics component, up to 0.5.1. The two counters have their `_total` in OpenMetrics only. */
export const legacyMetrics = {
  /** From the state: the sum over the ranks of used blocks, or of active ones where a rank reports no used ones. */
  blocksActive: {
    name: 'llm_kv_blocks_active',
    type: 'gauge',
    help: 'Active KV cache blocks',
    labelNames: legacyWorker,
  },
  /** From the state: the sum over the ranks that reported, as the worker's card says. */
  blocksTotal: {
    name: 'llm_kv_blocks_total',
    type: 'gauge',
    help: 'Total KV cache blocks',
    labelNames: legacyWorker,
  },
  /** The next three and the counters are in no load: whoever scrapes the workers' statistics gives them. */
  activeSlots: {
    name: 'llm_requests_active_slots',
    type: 'gauge',
    help: 'Active request slots',
    labelNames: legacyWorker,
  },
  totalSlots: {
    name: 'llm_requests_total_slots',
    type: 'gauge',
    help: 'Total request slots',
    labelNames: legacyWorker,
  },
  /** A fraction from 0 to 1, whatever its name says. */
  hitRate: {
    name: 'llm_kv_hit_rate_percent',
    type: 'gauge',
    help: 'KV hit rate percentage per worker',
    labelNames: legacyWorker,
  },
  /** Over the workers' active blocks; no series when there is no worker, where the original has NaN. */
  loadAvg: {
    name: 'llm_load_avg',
    type: 'gauge',
    help: 'Average load across workers',
    labelNames: ['component', 'endpoint'],
  },
  loadStd: {
    name: 'llm_load_std',
    type: 'gauge',
    help: 'Load standard deviation across workers',
    labelNames: ['component', 'endpoint'],
  },
  islBlocks: {
    name: 'llm_kv_hit_rate_isl_blocks',
    type: 'counter',
    help: 'Cumulative count of ISL blocks in KV hit rate events',
    labelNames: ['component', 'endpoint'],
  },
  overlapBlocks: {
    name: 'llm_kv_hit_rate_overlap_blocks',
    type: 'counter',
    help: 'Cumulative count of overlapping blocks in KV hit rate events',
    labelNames: ['component', 'endpoint'],
  },
} as const satisfies Record<string, Metric>;
