/** What the two processes of a case agree on. */
export const SUBJECT = 'namespace.dynamo.component.backend.endpoint.generate.kv_metrics';
/** The subject on which the subscriber acknowledges messages; the first acknowledgement means that it is subscribed. */
export const ACK = 'bench.ack';
export const ACK_EVERY = 8_192;
/** The messages per second if they are sent evenly. */
export const PER_SECOND = 10_000;
/** The service that answers scrapes, and its subject. */
export const SERVICE = 'dynamo_backend';
export const STATS = `$SRV.STATS.${SERVICE}`;

/**
 * Microseconds of the clock that both processes have, in 32 bits.
 *
 * @param {bigint} nanoseconds
 */
export function clockOf(nanoseconds) {
  return Number((nanoseconds / 1_000n) & 0xffff_ffffn);
}
