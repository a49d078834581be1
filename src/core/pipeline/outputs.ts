import { type Observable, Subject, defer, merge, of } from 'rxjs';

/**
 * The outputs of a run by name, and the last values of those outputs that give a late subscriber one.
 *
 * 1. The owner emits with `next`, in an order that it chooses.
 * 2. `keep` remembers values without emitting them, so that the owner decides when a late subscriber sees them.
 * 3. `complete` completes the outputs in the order in which they were given to the constructor.
 */
export class Outputs<Values extends object> {
  private kept: Partial<Values> = {};

  constructor(private readonly subjects: { readonly [Name in keyof Values]: Subject<Values[Name]> }) {}

  next<Name extends keyof Values>(name: Name, value: Values[Name]): void {
    this.subjects[name].next(value);
  }

  keep(values: Partial<Values>): void {
    Object.assign(this.kept, values);
  }

  /** The last value that was kept; `undefined` before the first one and after `clear`. */
  last<Name extends keyof Values>(name: Name): Values[Name] | undefined {
    return this.kept[name];
  }

  /** An output. A subscriber gets the kept value first, once it is subscribed to the values that follow. */
  output$<Name extends keyof Values>(name: Name): Observable<Values[Name]> {
    return defer(() => {
      const value = this.last(name);
      const output$ = this.subjects[name];
      return value === undefined ? output$ : merge(output$, of(value));
    });
  }

  /** Drops the kept values. */
  clear(): void {
    this.kept = {};
  }

  /** Drops the kept values and completes every output. */
  complete(): void {
    this.clear();
    for (const name of Object.keys(this.subjects) as (keyof Values)[]) this.subjects[name].complete();
  }
}
