import { Subject, defer, merge, of, type Observable } from 'rxjs';

/**
 * The outputs of a run by name, and the last values of those outputs that give a late subscriber one.
 *
 * 1. The owner emits with `next`, in an order that it chooses.
 * 2. `keep` remembers values without emitting them, so that the owner decides when a late subscriber sees them.
 * 3. `complete` completes the outputs in the order of the names that were given to the constructor.
 */
export class Outputs<Values extends object> {
  private kept: Partial<Values> = {};
  private readonly subjects: { readonly [Name in keyof Values]: Subject<Values[Name]> };

  constructor(private readonly names: readonly (keyof Values)[]) {
    this.subjects = Object.fromEntries(names.map((name) => [name, new Subject()])) as typeof this.subjects;
  }

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
  select<Name extends keyof Values>(name: Name): Observable<Values[Name]> {
    return defer(() => {
      const value = this.last(name);
      const values$ = this.subjects[name];
      return value === undefined ? values$ : merge(values$, of(value));
    });
  }

  /** Drops the kept values. */
  clear(): void {
    this.kept = {};
  }

  /** Drops the kept values and completes every output. */
  complete(): void {
    this.clear();
    for (const name of this.names) this.subjects[name].complete();
  }
}
