import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

// Bound now, because a test may later replace the real clocks with fake ones.
const now = performance.now.bind(performance);

/** Far longer than anything takes on a machine that three other processes keep busy. */
const LIMIT_MS = 180_000;

/**
 * What `check` returns as soon as it neither throws nor returns `false`. It is asked every few milliseconds; after
 * `timeoutMs` the last failure is the cause of an error with the time that was waited.
 *
 * The limit only ends hopeless waits. It does not measure speed.
 */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = LIMIT_MS): Promise<Awaited<T>> {
  const deadline = now() + timeoutMs;
  let failed: Failed | undefined;
  for (let pause = 1; ; pause = Math.min(2 * pause, 50)) {
    const left = deadline - now();
    if (failed && left <= 0) throw failure(check, timeoutMs, failed.error);
    const outcome = await attempt(check, Math.max(left, 1));
    if ('value' in outcome) return outcome.value;
    // The previous failure is more useful than the timeout.
    if (!failed || outcome.error !== cutOff) failed = outcome;
    await sleep(pause);
  }
}

interface Failed {
  readonly error: unknown;
}
type Attempt<T> = { readonly value: Awaited<T> } | Failed;

const cutOff = new Error('the check itself did not come to an end');

async function attempt<T>(check: () => T | Promise<T>, timeoutMs: number): Promise<Attempt<T>> {
  const limit = new AbortController();
  const tooLate = sleep(timeoutMs, undefined, { signal: limit.signal }).then(() => {
    throw cutOff;
  });
  try {
    const value = await Promise.race([check(), tooLate]);
    return value === false ? { error: new Error('the check returned false') } : { value };
  } catch (error) {
    return { error };
  } finally {
    tooLate.catch(() => undefined);
    limit.abort();
  }
}

function failure(check: () => unknown, timeoutMs: number, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(`not within ${timeoutMs} ms: ${String(check)}\n${reason}`, { cause });
}
