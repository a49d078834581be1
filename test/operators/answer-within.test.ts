import { describe, it } from 'vitest';
import { answerWithin } from '../../src/operators/answer-within.js';
import { TidemarkError } from '../../src/operators/tidemark-error.js';
import { inVirtualTime } from './in-virtual-time.js';

describe('answerWithin', () => {
  it.each([
    ['an answer in time', '      --a 500ms |', '--a 500ms |'],
    ['a completion in time', '   --|          ', '--|'],
    ['an error in time', '       --#          ', '--#'],
    ['an answer while reading', '150ms a|     ', '150ms a|'],
    ['silence', '                -            ', '200ms #'],
  ])('%s', (_, source, expected) => {
    inVirtualTime(({ cold, expectObservable, scheduler }) => {
      const error = 'error';
      const row = expected.includes('200ms')
        ? new TidemarkError('no-answer', 'no answer: timed out after 100 ms')
        : error;
      expectObservable(cold(source).pipe(answerWithin(100, scheduler))).toBe(expected, undefined, row);
    });
  });
});
