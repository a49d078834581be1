import { EtcdOptionsError } from './etcd-options-error.js';

/**
 * The prefixes to watch, without those that lie below another one: what is there would be told twice.
 *
 * @throws EtcdOptionsError for none: that would be live never, and tell nothing.
 */
export function watchedPrefixes(prefixes: string | readonly string[]): readonly string[] {
  const given = [...new Set([prefixes].flat())];
  if (given.length === 0) throw new EtcdOptionsError(["prefixes must name at least one; '' is all keys"]);
  return given.filter((prefix) => !given.some((other) => other !== prefix && prefix.startsWith(other)));
}
