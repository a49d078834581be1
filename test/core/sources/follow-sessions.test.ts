import { concat, of, type Observable, throwError, timer, toArray, VirtualTimeScheduler } from 'rxjs';
import { mergeMap } from 'rxjs';
import { expect, it } from 'vitest';
import { PackageError } from '../../../src/core/errors.js';
import { followSessions, type StateReport } from '../../../src/core/sources/source-status.js';
import { reconnect } from '../../../src/operators/reconnect.js';

it('the status follows the sessions, and all other values pass', () => {
  const scheduler = new VirtualTimeScheduler();
  const missing = new PackageError('package-missing', 'nats', 'is not installed', 'nats@2');
  const after = <T>(ms: number, item$: Observable<T>) => timer(ms, scheduler).pipe(mergeMap(() => item$));
  const live: StateReport = { state: 'live' };
  const ended: StateReport = { state: 'ended', why: 'closed' };
  const sessions = [
    throwError(() => missing),
    throwError(() => new Error('refused')),
    concat(
      of(live),
      of({ value: 1 }),
      after(10, of({ value: 2 })),
      after(
        10,
        throwError(() => new Error('lost')),
      ),
    ),
    of({ ...live, why: 'in part' }, ended),
  ];
  const seen: unknown[] = [];
  reconnect(() => sessions.shift() ?? of(ended), {
    hosts: ['a'],
    maxRetryMs: 100,
    scheduler,
    random: () => 1,
  })
    .pipe(followSessions<{ value: number }>('loads', scheduler), toArray())
    .subscribe((items) => seen.push(...items));
  scheduler.flush();
  const source = 'loads';
  expect(seen).toEqual([
    { source, state: 'connecting', since: 0 },
    { source, state: 'down', since: 0, why: missing.message, code: 'package-missing', retryInMs: 50 },
    { source, state: 'down', since: 0, why: 'refused', retryInMs: 100 },
    { source, state: 'live', since: 150 },
    { value: 1 },
    { value: 2 },
    { source, state: 'down', since: 170, why: 'lost', retryInMs: 100 },
    { source, state: 'live', since: 270, why: 'in part' },
    { source, state: 'ended', since: 270, why: 'closed' },
  ]);
});
