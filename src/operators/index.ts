// Generic operators without knowledge of workers and thresholds. They import only rxjs and each other.

// Differences between values.
export { setDifference, type SetDifference } from './set-difference.js';

// Order.
export { inTurn } from './in-turn.js';
export { trampoline, type TrampolineOptions } from './trampoline.js';

// Sources that arrive late or fail.
export { attachLate, type WatchItem } from './attach-late.js';
export { BackoffError, retryWithBackoff, type Backoff, type Retry } from './retry-with-backoff.js';
