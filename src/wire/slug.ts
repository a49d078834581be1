/**
 * The suffix that the key of a LoRA card has for an adapter's name: lower case, everything but `a-z 0-9 - _`
 * replaced by `_`, no `_` at the beginning. It is empty for a name of which nothing is left.
 *
 * @example
 * ```ts
 * import { slugOf } from 'tidemark/wire';
 *
 * console.log(slugOf('Org/My LoRA'));
 * // Logs: org_my_lora
 * ```
 */
export function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/gu, '_')
    .replace(/^_+/, '');
}
