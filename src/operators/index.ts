// Operators that know nothing of workers and marks; they import rxjs and each other.

// What changed between two values.
export { setDifference, type SetDifference } from './set-difference.js';

// Order.
export { inTurn } from './in-turn.js';
export { trampoline } from './trampoline.js';

// Sources that come late or fail.
export { attachLate, type WatchItem } from './attach-late.js';
export { BackoffError, retryWithBackoff, type Backoff, type Retry } from './retry-with-backoff.js';
