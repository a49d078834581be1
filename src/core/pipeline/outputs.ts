import { type Observable, Subject, defer, merge, of, type OperatorFunction } from 'rxjs';
import { trampoline } from '../../operators/trampoline.js';

/** How one output of a pipeline is made. */
export interface Output<State, Value> {
  /** Selects the values of the output from the states of the pipeline. */
  readonly select: OperatorFunction<State, Value>;
  /** What a late subscriber gets first, made from the last value. Without it, a late subscriber gets only later values. */
  readonly onLateSubscription?: (last: Value) => Value;
}

/** The definitions of the outputs by name, in the order in which they emit. */
export type OutputDefinitions<State, Values extends object> = {
  readonly [Name in keyof Values]: Output<State, Values[Name]>;
};

type Subjects<Values extends object> = { readonly [Name in keyof Values]: Subject<Values[Name]> };

/**
 * The outputs of one run of a pipeline: one ordered multicast of its states.
 *
 * 1. For each state the outputs emit in the order of their definitions, regardless of the order of subscription.
 * 2. A late subscriber gets the last value, if the output has one for it, after it was subscribed to the values that
 *    follow. What it causes while it receives that value waits until it has received it.
 * 3. The outputs complete in the same order.
 */
export class Outputs<State, Values extends object> {
  readonly #states$ = new Subject<State>();
  readonly #values: Subjects<Values>;
  readonly #last: Partial<Values> = {};

  constructor(private readonly definitions: OutputDefinitions<State, Values>) {
    const names = Object.keys(definitions) as (keyof Values)[];
    this.#values = Object.fromEntries(names.map((name) => [name, new Subject()])) as Subjects<Values>;
    for (const name of names) this.connect(name);
  }

  next(state: State): void {
    this.#states$.next(state);
  }

  complete(): void {
    this.#states$.complete();
  }

  /** The last value of an output; `undefined` before the first one. */
  last<Name extends keyof Values>(name: Name): Values[Name] | undefined {
    return this.#last[name];
  }

  select<Name extends keyof Values>(name: Name): Observable<Values[Name]> {
    const values$ = this.#values[name];
    const { onLateSubscription } = this.definitions[name];
    if (onLateSubscription === undefined) return values$.asObservable();
    return defer(() => {
      const last = this.last(name);
      return last === undefined ? values$ : merge(values$, of(onLateSubscription(last))).pipe(trampoline());
    });
  }

  private connect<Name extends keyof Values>(name: Name): void {
    const values$ = this.#values[name];
    this.#states$.pipe(this.definitions[name].select).subscribe({
      next: (value) => {
        this.#last[name] = value;
        values$.next(value);
      },
      error: (error: unknown) => values$.error(error),
      complete: () => values$.complete(),
    });
  }
}
