import { TidemarkError } from '../../../core/errors.js';
/** The functions of the global object that use real time. */
const OUTSIDE: readonly (readonly [owner: string, name: string])[] = [
  ['', 'setTimeout'],
  ['', 'setInterval'],
  ['', 'setImmediate'],
  ['', 'queueMicrotask'],
  ['', 'requestAnimationFrame'],
  ['process', 'nextTick'],
  ['performance', 'now'],
  ['Date', 'now'],
];

/**
 * Runs a function without access to real time: timers, clocks and promises throw when they are used. `escaped` is called
 * with the name of what was used, so that it is known even if the code under test catches the exception.
 *
 * RxJS's own schedulers and clocks are not affected, since a TestScheduler in run mode has replaced them.
 */
export function onlyVirtualTime<T>(run: () => T, escaped: (name: string) => void): T {
  let over = false;
  const refuse = (name: string): void => {
    // A function that was kept after the run, for example by a promise, works again.
    if (over) return;
    escaped(name);
    throw new TidemarkError('real-time', `${name} is not virtual: take the time from a scheduler`);
  };
  const restore = realTimeApis().map(({ owner, name, label }) => guard(owner, name, label, refuse));
  restore.push(guardDate(refuse));
  try {
    return run();
  } finally {
    over = true;
    for (const undo of restore.reverse()) undo();
  }
}

interface RealTimeApi {
  readonly owner: object;
  readonly name: string;
  readonly label: string;
}

function realTimeApis(): RealTimeApi[] {
  const global = globalThis as unknown as Record<string, object | undefined>;
  const found = OUTSIDE.flatMap(([object, name]): RealTimeApi[] => {
    const owner = object === '' ? globalThis : global[object];
    return owner !== undefined && name in owner
      ? [{ owner, name, label: object === '' ? name : `${object}.${name}` }]
      : [];
  });
  return [...found, { owner: Promise.prototype, name: 'then', label: 'Promise' }];
}

function guard(owner: object, name: string, label: string, refuse: (label: string) => void): () => void {
  const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
  return replace(owner, name, function (this: unknown, ...args: unknown[]): unknown {
    refuse(label);
    return original.apply(this, args);
  });
}

/** `new Date(value)` computes, `new Date()` reads the clock. */
function guardDate(refuse: (label: string) => void): () => void {
  const guarded = new Proxy(Date, {
    construct: (target, args: []) => {
      if (args.length === 0) refuse('new Date()');
      return new target(...args);
    },
    apply: (target) => {
      refuse('Date()');
      return target();
    },
  });
  return replace(globalThis, 'Date', guarded);
}

function replace(owner: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, before);
  };
}
