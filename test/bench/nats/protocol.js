/** What the two processes of a case agree upon. */
export const SUBJECT = 'namespace.dynamo.component.backend.endpoint.generate.kv_metrics';
/** Where the one who listens says that it has taken so many more; the first word of it means that it listens. */
export const ACK = 'bench.ack';
export const ACK_EVERY = 8_192;
/** The messages of a second where they come evenly. */
export const PER_SECOND = 10_000;
/** Who answers scrapes, and where they are asked. */
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
