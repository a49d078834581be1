import { EtcdInvalidAuthTokenError } from 'etcd3';

/** Whether the server refused the token, not the user: it has run out, or the server has forgotten it. */
export function isTokenTrouble(error: unknown): boolean {
  return error instanceof EtcdInvalidAuthTokenError;
}
