import { map, take } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { paced } from '../../../src/fleet/live-simulator/paced.js';

type Helpers = Parameters<Parameters<TestScheduler['run']>[0]>[0];
const inVirtualTime = (body: (helpers: Helpers, scheduler: TestScheduler) => void): void => {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  scheduler.run((helpers) => body(helpers, scheduler));
};
const items = [
  { at: 0, name: 'a' },
  { at: 2, name: 'b' },
  { at: 2, name: 'c' },
  { at: 6, name: 'd' },
];
const name = map(({ name }: { readonly name: string }) => name);

describe('paced', () => {
  it('emits each item at its time, and items with the same time together', () => {
    inVirtualTime(({ expectObservable }, scheduler) => {
      expectObservable(paced(items, scheduler).pipe(name)).toBe('a-(bc)(d|)');
    });
  });

  it('counts time from the subscription', () => {
    inVirtualTime(({ expectObservable }, scheduler) => {
      expectObservable(paced(items, scheduler).pipe(name), '---^').toBe('---a-(bc)(d|)');
    });
  });

  it('completes at once without items', () => {
    inVirtualTime(({ expectObservable }, scheduler) => {
      expectObservable(paced([], scheduler)).toBe('|');
    });
  });

  it('errors if the iteration throws', () => {
    const broken = function* (): Generator<{ at: number; name: string }> {
      yield { at: 0, name: 'a' };
      throw new Error('broken');
    };
    inVirtualTime(({ expectObservable }, scheduler) => {
      expectObservable(paced(broken(), scheduler).pipe(name)).toBe('(a#)', undefined, new Error('broken'));
    });
  });

  it('takes no more items after it is unsubscribed', () => {
    let taken = 0;
    const counted = function* (): Generator<{ at: number; name: string }> {
      for (const item of items) {
        taken += 1;
        yield item;
      }
    };
    inVirtualTime(({ expectObservable }, scheduler) => {
      expectObservable(paced(counted(), scheduler).pipe(name, take(1))).toBe('(a|)');
    });
    expect(taken).toBeLessThanOrEqual(2);
  });
});
