import type { NatsLink } from './nats-link.js';
import type { NatsOptions } from './nats-options.js';

/** How to reach NATS: over a connection of our own, or over one that the caller already has, and keeps. */
export type NatsAccess =
  | (NatsOptions & { readonly connection?: undefined })
  | (Pick<NatsOptions, 'scheduler'> & { readonly connection: NatsLink; readonly servers?: undefined });

/** A text is the servers; a bare connection is one that the caller keeps. */
export function accessOf(given: string | NatsLink | NatsAccess): NatsAccess {
  if (typeof given === 'string') return { servers: given };
  return 'subscribe' in given ? { connection: given } : given;
}
