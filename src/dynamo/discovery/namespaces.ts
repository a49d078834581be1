/**
 * Which namespaces a name selects.
 *
 * - `generations`: the namespace itself, and those that the operator of Dynamo derives from it for each roll-out of the
 *   workers: the name, a hyphen, and 8 hexadecimal digits. They are one fleet.
 * - `exact`: only the namespace itself.
 * - `prefix`: every namespace that begins with the name, as `DYN_NAMESPACE_PREFIX` does in Dynamo. `prod` also selects
 *   `production`.
 */
export type NamespaceMatch = 'generations' | 'exact' | 'prefix';

/** Every {@link NamespaceMatch}, the default first. */
export const namespaceMatches: readonly NamespaceMatch[] = ['generations', 'exact', 'prefix'];

const GENERATION = /-[0-9a-f]{8}$/;

/** The namespace without the suffix of its generation. */
export function baseNamespace(namespace: string): string {
  return namespace.replace(GENERATION, '');
}

/** Whether a name selects a namespace. */
export function selectsNamespace(name: string, match: NamespaceMatch, namespace: string): boolean {
  if (match === 'prefix') return namespace.startsWith(name);
  return namespace === name || (match === 'generations' && baseNamespace(namespace) === name);
}
