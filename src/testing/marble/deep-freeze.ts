const MUTATORS = ['set', 'add', 'delete', 'clear'];

/**
 * Freezes plain data to its depths: objects, arrays, Maps and Sets. Changing it throws from then on, where the
 * change is made.
 *
 * Instances of other classes are left alone: what they keep for themselves, such as a list built on first use, is
 * no part of their value. Typed arrays cannot be frozen.
 */
export function deepFreeze<T>(value: T): T {
  freeze(value, new Set());
  return value;
}

function freeze(value: unknown, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null || seen.has(value) || !isData(value)) return;
  seen.add(value);
  if (!Object.isFrozen(value)) {
    if (value instanceof Map || value instanceof Set) for (const name of MUTATORS) refuse(value, name);
    Object.freeze(value);
  }
  for (const inner of innerOf(value)) freeze(inner, seen);
}

function innerOf(value: object): Iterable<unknown> {
  if (value instanceof Map) return [...value.keys(), ...value.values()] as unknown[];
  return value instanceof Set ? (value as Set<unknown>) : Object.values(value);
}

function isData(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === null ||
    [Object, Array, Map, Set].some((kind: { prototype: object }) => prototype === kind.prototype)
  );
}

function refuse(value: object, name: string): void {
  if (!(name in value)) return;
  Object.defineProperty(value, name, {
    value: () => {
      throw new TypeError(`${name}() on a value that was emitted: whoever has it would see it change`);
    },
  });
}
