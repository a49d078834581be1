import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { ChangeRefusal } from './busy-threshold/threshold-api.js';

/** Whether an address can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * Decides whether a request may change state.
 *
 * 1. With an admin token: if the request has it as `Authorization: Bearer`. It is compared in constant time.
 * 2. Without one: if the service listens on a loopback address only.
 */
export class AdminGuard {
  private readonly tokenDigest: Buffer | null;
  private readonly isLocal: boolean;

  constructor(token: string | undefined, host: string) {
    this.tokenDigest = token === undefined ? null : digest(token);
    this.isLocal = isLoopback(host);
  }

  /** The name of the token that changes need; `null` if they need none. */
  get tokenName(): 'admin' | null {
    return this.tokenDigest === null ? null : 'admin';
  }

  refusal(authorization: string | undefined): ChangeRefusal {
    if (this.tokenDigest === null) {
      const message =
        'The service can be reached from other machines and has no admin token, so it refuses changes: start it with --admin-token.';
      return this.isLocal ? null : { status: 403, message };
    }
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    // Digests have equal lengths, so the comparison does not even reveal the length of the token.
    if (given !== undefined && timingSafeEqual(digest(given), this.tokenDigest)) return null;
    const message = 'Changing state needs the admin token: send Authorization: Bearer <token>.';
    return { status: 401, message, headers: { 'www-authenticate': 'Bearer' } };
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
