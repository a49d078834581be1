/** The definition of one metric. The constructors of prom-client accept it as it is. */
export interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** In the order on a page. */
  readonly labelNames: readonly string[];
}

/**
 * The rules of all metrics:
 *
 * 1. A metric of Dynamo keeps its exact name, help and labels, in the order of Dynamo's pages.
 * 2. A metric of tidemark begins with `tidemark_`, has the labels of its pool, and follows the conventions of Prometheus:
 *    base units, `_total` for counters, `_timestamp_seconds` for moments.
 * 3. The values of every label are bounded: by the fleet (`worker_id`, `dp_rank`), by a closed list (`worker_type`,
 *    `check`, `state`, `threshold`, `direction`, `code`, `detached`), or by a limit (`source`, the labels of the pool).
 * 4. There are no series for workers and ranks that are absent.
 */
const worker = ['dp_rank', 'worker_id', 'worker_type'] as const;

/**
 * The five gauges of a Dynamo frontend for each worker and rank. On the latency gauges, `dp_rank` is `none` if the request
 * had no rank. Source: pages of Dynamo 1.0.1 and 1.6.1.
 */
export const workerGauges = {
  /** From the state: the last value of any origin. */
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
  /** From the request path: the first token of a response, with the labels of the prefill worker. */
  lastTimeToFirstToken: {
    name: 'dynamo_frontend_worker_last_time_to_first_token_seconds',
    type: 'gauge',
    help: 'Last observed time to first token per worker (seconds)',
    labelNames: worker,
  },
  /** From the request path, together with `lastTimeToFirstToken`. */
  lastInputSequenceTokens: {
    name: 'dynamo_frontend_worker_last_input_sequence_tokens',
    type: 'gauge',
    help: 'Last observed input sequence tokens per worker',
    labelNames: worker,
  },
  /** From the request path: every later token, with the labels of the decode worker. */
  lastInterTokenLatency: {
    name: 'dynamo_frontend_worker_last_inter_token_latency_seconds',
    type: 'gauge',
    help: 'Last observed inter-token latency per worker (seconds)',
    labelNames: worker,
  },
} as const satisfies Record<string, Metric>;

/** The metrics of tidemark. All of them also have the labels of the pool. */
export const tidemarkMetrics = {
  connected: {
    name: 'tidemark_monitor_connected',
    type: 'gauge',
    help: 'Whether the monitor of the pool is connected (1) or not (0)',
    labelNames: [],
  },
  poolWorkers: {
    name: 'tidemark_pool_workers',
    type: 'gauge',
    help: 'Workers of the pool by state: workers (present), of which busy, free and unknown; known (judged), held (waiting for discovery), overloadMarked, instances and down (from discovery)',
    labelNames: ['state'],
  },
  workersUnknown: {
    name: 'tidemark_workers_unknown',
    type: 'gauge',
    help: 'Workers that cannot be judged, by reason: no-threshold, not-heard, no-capacity, no-signal, not-known',
    labelNames: ['reason'],
  },
  workersInSeveralPools: {
    name: 'tidemark_workers_in_several_pools',
    type: 'gauge',
    help: 'Workers whose id is in several pools with one worker type: the gauges of Dynamo, which do not name a pool, have only the first',
    labelNames: [],
  },
  busy: {
    name: 'tidemark_worker_busy',
    type: 'gauge',
    help: 'Whether the worker is busy (1) or not (0)',
    labelNames: ['worker_id'],
  },
  busySince: {
    name: 'tidemark_worker_busy_since_timestamp_seconds',
    type: 'gauge',
    help: 'When a busy worker became busy, in Unix time; free workers have no series',
    labelNames: ['worker_id'],
  },
  /** Only checks whose threshold is set. For the check `overload-mark` the value is 0 or 1. */
  ranksAboveThreshold: {
    name: 'tidemark_worker_ranks_above_threshold',
    type: 'gauge',
    help: 'Ranks of the worker that are above the threshold of a check',
    labelNames: ['check', 'worker_id'],
  },
  kvUsedBlocks: {
    name: 'tidemark_rank_kv_used_blocks',
    type: 'gauge',
    help: 'KV cache blocks in use by a rank, as last reported by the worker',
    labelNames: ['dp_rank', 'worker_id'],
  },
  signalAge: {
    name: 'tidemark_rank_signal_age_seconds',
    type: 'gauge',
    help: 'Time since the last load of a rank',
    labelNames: ['dp_rank', 'worker_id'],
  },
  threshold: {
    name: 'tidemark_threshold',
    type: 'gauge',
    help: 'The thresholds in force; a threshold that is not set has no series',
    labelNames: ['threshold'],
  },
  /** At most 64 sources per pool; names are truncated to 100 characters. */
  sourceState: {
    name: 'tidemark_source_state',
    type: 'gauge',
    help: 'Whether a source is in a state (1) or not (0)',
    labelNames: ['source', 'state'],
  },
  sourceStateSince: {
    name: 'tidemark_source_state_since_timestamp_seconds',
    type: 'gauge',
    help: 'When the state of a source began, in Unix time',
    labelNames: ['source'],
  },
  /** Like the counters below, counted while `counting$` is subscribed to, and reset by a restart of the process. */
  transitions: {
    name: 'tidemark_transitions_total',
    type: 'counter',
    help: 'Workers whose state changed to busy, free or unknown, by the decisive check or another cause: overload-mark, overload-mark-ended, left, none',
    labelNames: ['check', 'direction'],
  },
  problems: {
    name: 'tidemark_problems_total',
    type: 'counter',
    help: 'Recoverable problems by code',
    labelNames: ['code'],
  },
  loadMessages: {
    name: 'tidemark_load_messages_total',
    type: 'counter',
    help: 'Load messages received',
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
    help: 'Gaps in the sequence numbers of the publishers of loads',
    labelNames: [],
  },
  loadsMissing: {
    name: 'tidemark_load_messages_missing_total',
    type: 'counter',
    help: 'Load messages that were not received, by whether the connection was lost in between',
    labelNames: ['detached'],
  },
  publishersNotAccountable: {
    name: 'tidemark_load_publishers_not_accountable',
    type: 'gauge',
    help: 'Known publishers of loads whose missing messages cannot be counted, because others use their id',
    labelNames: [],
  },
} as const satisfies Record<string, Metric>;

const legacyWorker = ['component', 'endpoint', 'worker_id'] as const;

/** The metrics of Dynamo's metrics component, up to 0.5.1. The two counters end in `_total` only in OpenMetrics. */
export const legacyMetrics = {
  /** From the state: the sum over the ranks of used blocks, or of active blocks if a rank reports no used blocks. */
  blocksActive: {
    name: 'llm_kv_blocks_active',
    type: 'gauge',
    help: 'Active KV cache blocks',
    labelNames: legacyWorker,
  },
  /** From the state: the sum of the capacity of all known ranks. */
  blocksTotal: {
    name: 'llm_kv_blocks_total',
    type: 'gauge',
    help: 'Total KV cache blocks',
    labelNames: legacyWorker,
  },
  /** Like the next two and the counters, from the statistics of workers, which the caller provides. */
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
  /** A fraction from 0 to 1, despite its name. */
  hitRate: {
    name: 'llm_kv_hit_rate_percent',
    type: 'gauge',
    help: 'KV hit rate percentage per worker',
    labelNames: legacyWorker,
  },
  /** The average of the active blocks of workers. Without workers there is no series, where the original has NaN. */
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
