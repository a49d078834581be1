import { type MonoTypeOperatorFunction, defer, filter, map, merge, type Observable } from 'rxjs';
import type { Problem } from '../../core/sources/problem.js';
import { quoted } from './card-problems.js';
import { baseNamespace } from './namespaces.js';

/** The maximum number of models and adapters that are listed. */
export const MAX_MODELS = 10_000;

/** The maximum number of namespaces that are listed, and of which loads are received. */
export const MAX_NAMESPACES = 512;

/** What is counted in a fleet, beginning with the current numbers. */
interface FleetSizes {
  readonly pools$: Observable<number>;
  readonly models$: Observable<number>;
  readonly namespaces$: Observable<readonly string[]>;
}

/** Lets a list pass that is longer than the maximum, and again only when it has doubled, or was within it in between. */
function beyond<T>(max: number, sizeOf: (value: T) => number): MonoTypeOperatorFunction<T> {
  return (source$) =>
    defer(() => {
      let reported = 0;
      return source$.pipe(
        filter((value) => {
          const size = sizeOf(value);
          if (size <= max) reported = 0;
          if (size <= max || size < 2 * reported) return false;
          reported = size;
          return true;
        }),
      );
    });
}

/**
 * The problems of a fleet with too many names: those beyond a limit are not listed.
 *
 * @param prefix the prefix that selects the namespaces; `undefined` if they are not selected by a prefix
 */
export function fleetSizeProblems(
  { pools$, models$, namespaces$ }: FleetSizes,
  maxPools: number,
  prefix: string | undefined,
): Observable<Problem> {
  const tooMany = (
    code: Problem['code'],
    source: Problem['source'],
    counts$: Observable<number>,
    max: number,
    text: (count: number) => string,
  ): Observable<Problem> =>
    counts$.pipe(
      beyond(max, (count) => count),
      map((count) => ({ code, source, text: text(count), count })),
    );
  return merge(
    tooMany(
      'too-many-pools',
      'configs',
      pools$,
      maxPools,
      (count) =>
        `the fleet has ${count} pools, of which only ${maxPools} are judged: raise maxPools, or watch fewer`,
    ),
    tooMany(
      'too-many-models',
      'configs',
      models$,
      MAX_MODELS,
      (count) => `the fleet has ${count} models and adapters, of which only ${MAX_MODELS} are listed`,
    ),
    tooMany(
      'too-many-namespaces',
      'instances',
      namespaces$.pipe(map(({ length }) => length)),
      MAX_NAMESPACES,
      (count) =>
        `the fleet has ${count} namespaces, and the loads of only ${MAX_NAMESPACES} are received: watch fewer namespaces`,
    ),
    namespaces$.pipe(
      map((names) => [...new Set(names.map(baseNamespace))]),
      filter(() => prefix !== undefined),
      beyond(1, ({ length }) => length),
      map((names) => severalNamespaces(prefix ?? '', names)),
    ),
  );
}

function severalNamespaces(prefix: string, names: readonly string[]): Problem {
  const shown = names.slice(0, 2).map(quoted).join(' and ');
  return {
    code: 'several-namespaces',
    source: 'instances',
    text:
      `the prefix ${quoted(prefix)} selects ${names.length} namespaces that are not generations of one, such as ${shown}: ` +
      'if they are not one fleet, select one of them by its name',
    count: names.length,
  };
}
