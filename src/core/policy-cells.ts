import type { LoadPolicy } from './load-policy.js';

/**
 * One sentence for each cell of a {@link LoadPolicy} on what it decides, in the order of the table.
 */
export const policyCells = {
  defaultThresholds:
    'Which marks hold, as decode fraction / prefill tokens / fraction of the batch limit, when none was set.',
  batchFractionCheck: 'Whether prefill tokens are also compared with a fraction of the batch limit.',
  storedFractions: 'Whether a fraction is kept exactly or cut to 1/10000.',
  nullThreshold: 'What setting a mark to null does.',
  thresholdValidation: 'Whether marks set at run time are checked, and how many of their problems are told.',
  decodeSignal:
    'Which block count is compared: active blocks, both signals through a latch, or used blocks where reported.',
  ranksJudged:
    'Whether the ranks a card declares are judged, silent ones as free, or only those that reported.',
  rollUp: 'How many judged ranks must be busy for the worker to be busy.',
  rankRange: 'Which ranks a card declares, and what an impossible range means.',
  capacity: 'Whether a new card of a living worker adds to its capacities or replaces all of them.',
  cardsThatCount: 'Whether a card needs an instance to count.',
  unknownWorkers: 'What becomes of loads of a worker that is not known, and what makes it known.',
  instanceLeft: 'What is forgotten when a worker leaves the instances.',
  judgedOn: 'Which kinds of event judge workers anew and hand out the result.',
  requestMarks: 'Whether the request path may mark a worker busy, and what ends the mark.',
  reportedDown: 'What a report that a worker is down does.',
  loadsEnded: 'What the end of the load source does.',
  configsEnded: 'What the end of the card source does.',
  instancesEnded: 'What the end of the instance source does.',
  stop: 'What a stop cleans up.',
  prefillWatches: 'What a second watch on prefill instances does while one is open.',
  cleanupOnInstanceLeft: 'Which metric series are dropped when a worker leaves the instances.',
  cleanupOnCardLeft: 'Which metric series are dropped when a worker loses its card.',
  cleanupOnRanksLeft: 'Which metric series are dropped when a card changes.',
  wire: 'Which load messages are read: formats, lengths of a positional load, forms of an envelope’s payload.',
} as const satisfies Record<Exclude<keyof LoadPolicy, 'name'>, string>;
