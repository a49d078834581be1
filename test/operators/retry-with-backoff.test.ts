import { defer, of, throwError, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  BackoffError,
  retryWithBackoff,
  type Backoff,
  type Retry,
} from '../../src/operators/retry-with-backoff.js';
import { inVirtualTime } from './in-virtual-time.js';

const error = new Error('broken');
const backoff: Backoff = { initialMs: 2, maxMs: 8 };

describe('retryWithBackoff', () => {
  it.each([
    // name,             e1,            e1subs,       expected
    ['never', '          -           ', '^          ', '-         '],
    ['empty', '          |           ', '(^!)       ', '|         '],
    ['single', '         --a--|      ', '^----!     ', '--a--|    '],
    ['many', '           --a--b--|   ', '^-------!  ', '--a--b--| '],
    ['never ending', '   --a--b--    ', '^          ', '--a--b--  '],
  ])('%s', (_, e1, e1subs, expected) => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const source$ = cold(e1);
      expectObservable(source$.pipe(retryWithBackoff(backoff, scheduler))).toBe(expected);
      expectSubscriptions(source$.subscriptions).toBe(e1subs.trim());
    });
  });

  it('delays grow by the factor 2 up to the longest, and never end', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const e1$ = cold('#                              ');
      const unsub = '   -------------------------!     ';
      const e1subs = [
        '               (^!)                           ',
        '               --(^!)                         ',
        '               ------(^!)                     ',
        '               --------------(^!)             ',
        '               ----------------------(^!)     ',
      ];
      const expected = '--------------------------     ';
      expectObservable(e1$.pipe(retryWithBackoff(backoff, scheduler)), unsub).toBe(expected);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs.map((row) => row.trim()));
    });
  });

  it('delays grow by another factor, also by 1', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const thrice$ = cold('#                              ');
      const same$ = cold('  #                              ');
      const unsub = '       -----------!                   ';
      const thricesubs = [' (^!)', '-(^!)', '----(^!)'];
      const samesubs = [' (^!)', '----(^!)', '--------(^!)'];
      const expected = '    ------------                   ';
      expectObservable(
        thrice$.pipe(retryWithBackoff({ initialMs: 1, maxMs: 100, factor: 3 }, scheduler)),
        unsub,
      ).toBe(expected);
      expectObservable(
        same$.pipe(retryWithBackoff({ initialMs: 4, maxMs: 100, factor: 1 }, scheduler)),
        unsub,
      ).toBe(expected);
      expectSubscriptions(thrice$.subscriptions).toBe(thricesubs);
      expectSubscriptions(same$.subscriptions).toBe(samesubs);
    });
  });

  it('a value resets the attempts only if it was emitted long enough before the failure', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const short$ = cold('a-#');
      const long$ = cold(' a---#');
      const down$ = cold('  #');
      const tries = [short$, short$, long$, down$];
      const expected = '   a---a-----a-----  ';
      const unsub = '      ----------------! ';
      let next = 0;
      const source$ = defer(() => tries[next++] ?? down$);
      const healthyMs = 3;
      expectObservable(source$.pipe(retryWithBackoff({ ...backoff, healthyMs }, scheduler)), unsub).toBe(
        expected,
      );
      expectSubscriptions(short$.subscriptions).toBe(['^-!', '----^-!']);
      expectSubscriptions(long$.subscriptions).toBe(['----------^---!']);
      expectSubscriptions(down$.subscriptions).toBe([]);
    });
  });

  it('a value begins a new row', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const down$ = cold(' #                    ');
      const up$ = cold('         -a-#           ');
      const downAgain$ = cold('        #        ');
      const upAgain$ = cold('              b|  ');
      const tries = [down$, down$, up$, downAgain$, upAgain$];
      const downsubs = [' (^!)', '--(^!)'];
      const upsubs = '     ------^--!           ';
      const againsubs = '  -----------(^!)      ';
      const upAgainsubs = '---------------^!    ';
      const expected = '   -------a-------b|    ';
      let next = 0;
      const source$ = defer(() => tries[next++] ?? of('too many'));
      expectObservable(source$.pipe(retryWithBackoff(backoff, scheduler))).toBe(expected);
      expectSubscriptions(down$.subscriptions).toBe(downsubs.map((row) => row.trim()));
      expectSubscriptions(up$.subscriptions).toBe(upsubs);
      expectSubscriptions(downAgain$.subscriptions).toBe(againsubs);
      expectSubscriptions(upAgain$.subscriptions).toBe(upAgainsubs);
    });
  });

  it('jitter takes a part of the delay, in whole milliseconds', () => {
    const parts = [0.5, 0, 0.999, 0.3];
    const retries: Retry[] = [];
    inVirtualTime(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const e1$ = cold(' #               ');
      const unsub = '    ----------!     ';
      const e1subs = ['  (^!)', '-(^!)', '-(^!)', '---------(^!)'];
      const expected = ' -----------     ';
      const jitter = (): number => parts.shift() ?? 1;
      const onRetry = (retry: Retry): void => void retries.push(retry);
      expectObservable(
        e1$.pipe(retryWithBackoff({ ...backoff, maxMs: 100, jitter, onRetry }, scheduler)),
        unsub,
      ).toBe(expected);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs.map((row) => row.trim()));
    });
    expect(retries.map(({ delayMs }) => delayMs)).toEqual([1, 0, 8, 5]);
  });

  it('maxAttempts - after this number of consecutive retries the error is forwarded', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const e1$ = cold('-#        ');
      const e1subs = ['^!', '---^!', '--------^!'];
      const expected = '---------#';
      expectObservable(e1$.pipe(retryWithBackoff({ ...backoff, maxAttempts: 2 }, scheduler))).toBe(expected);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
    });
  });

  it('maxAttempts 0 - no retry', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const e1$ = cold('-a-#');
      const e1subs = '  ^--!';
      const expected = '-a-#';
      expectObservable(e1$.pipe(retryWithBackoff({ ...backoff, maxAttempts: 0 }, scheduler))).toBe(expected);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
    });
  });

  it('unsubscribed early - from the source, or in the wait', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const e1$ = cold('   -a-#          ');
      const inSource = '   ------!       ';
      const inWait = '     ----!         ';
      const e1subs = ['    ^--!          ', '^--!', '-----^!'];
      const expected1 = '  -a----        ';
      const expected2 = '  -a---         ';
      const result$ = e1$.pipe(retryWithBackoff(backoff, scheduler));
      expectObservable(result$, inSource).toBe(expected1);
      expectObservable(result$, inWait).toBe(expected2);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs.map((row) => row.trim()));
    });
  });

  it('without a scheduler - the time of asyncScheduler', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const e1$ = cold('-#       ');
      const e1subs = ['^!', '---^!'];
      const expected = '----#    ';
      expectObservable(e1$.pipe(retryWithBackoff({ ...backoff, maxAttempts: 1 }))).toBe(expected);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
    });
  });

  it('onRetry is called for every failure that is retried, before the wait', () => {
    const retries: (Retry & { at: number })[] = [];
    inVirtualTime(({ cold, expectObservable, scheduler }) => {
      const onRetry = (retry: Retry): void => void retries.push({ ...retry, at: scheduler.now() });
      const e1$ = cold('-#               ');
      const expected = '---------------#';
      expectObservable(
        e1$.pipe(retryWithBackoff({ initialMs: 3, maxMs: 4, maxAttempts: 3, onRetry }, scheduler)),
      ).toBe(expected);
    });
    expect(retries).toEqual([
      { attempt: 1, delayMs: 3, error: 'error', at: 1 },
      { attempt: 2, delayMs: 4, error: 'error', at: 5 },
      { attempt: 3, delayMs: 4, error: 'error', at: 10 },
    ]);
  });

  it.each(['onRetry', 'jitter'])('%s throws - errors with what was thrown', (callback) => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const broken = (): never => {
        throw error;
      };
      const e1$ = cold('-a-#');
      const e1subs = '  ^--!';
      const unsub = '   -----------!';
      const expected = '-a-#';
      const result$: Observable<string> = e1$.pipe(
        retryWithBackoff({ ...backoff, [callback]: broken }, scheduler),
      );
      expectObservable(result$, unsub).toBe(expected, undefined, error);
      expectSubscriptions(e1$.subscriptions).toBe(e1subs);
    });
  });

  it('the row may be as long as it likes', () => {
    const delays: number[] = [];
    inVirtualTime(({ expectObservable, scheduler }) => {
      const source$ = throwError(() => error);
      const onRetry = ({ delayMs }: Retry): void => void delays.push(delayMs);
      expectObservable(
        source$.pipe(retryWithBackoff({ initialMs: 1, maxMs: 2, maxAttempts: 1100, onRetry }, scheduler)),
      ).toBe('2199ms #', undefined, error);
    });
    expect([delays[0], new Set(delays.slice(1))]).toEqual([1, new Set([2])]);
  });

  it('all numbers out of range are reported at once, before anything starts', () => {
    const wrong = { initialMs: 0, maxMs: 2 ** 31, factor: 0.5, maxAttempts: -1 };
    expect(() => retryWithBackoff(wrong)).toThrow(BackoffError);
    expect(() => retryWithBackoff(wrong)).toThrow(
      'initialMs must be above 0, not 0; maxMs must be from initialMs to 2147483647, not 2147483648; ' +
        'factor must be at least 1, not 0.5; maxAttempts must be 0 or more, not -1.',
    );
    expect(() => retryWithBackoff({ initialMs: NaN, maxMs: NaN })).toThrow(BackoffError);
    expect(() => retryWithBackoff({ initialMs: 5, maxMs: 4 })).toThrow('maxMs must be from initialMs');
    expect(() => retryWithBackoff({ initialMs: 5, maxMs: 5 })).not.toThrow();
  });
});
