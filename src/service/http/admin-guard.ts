import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { ChangeRefusal } from './busy-threshold/threshold-api.js';

/** Whether an address is reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * Who may change state.
 *
 * 1. With a token: who brings it, as `Authorization: Bearer`. It is compared in constant time.
 * 2. Without one: everybody on this machine, as long as the service is reached from nowhere else; nobody otherwise.
 */
export class AdminGuard {
  private readonly wanted: Buffer | null;
  private readonly open: boolean;

  constructor(token: string | undefined, host: string) {
    this.wanted = token === undefined ? null : digest(token);
    this.open = isLoopback(host);
  }

  refusal(authorization: string | undefined): ChangeRefusal {
    if (this.wanted === null) {
      const message =
        'The service is reached from other machines and has no admin token, so nothing can be changed: start it with one.';
      return this.open ? null : { status: 403, message };
    }
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    // Digests have one length, so that not even the length of the token shows.
    if (given !== undefined && timingSafeEqual(digest(given), this.wanted)) return null;
    const message = 'Changing state needs the admin token: send Authorization: Bearer <token>.';
    return { status: 401, message, headers: { 'www-authenticate': 'Bearer' } };
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
