import { type MonoTypeOperatorFunction, catchError, throwError } from 'rxjs';
import { type ErrorTexts, TidemarkError, describeServerError } from '../../core/errors.js';

/**
 * Why a connection to etcd ended or failed:
 *
 * - `etcd-unreachable`: the connection was refused or lost, or the host is unknown;
 * - `etcd-silent`: no answer in time;
 * - `etcd-not-etcd`: the peer is not etcd;
 * - `etcd-tls`: the TLS handshake failed;
 * - `etcd-auth`: user and password are wrong or missing;
 * - `etcd-permission`: the user has no permission for these keys;
 * - `etcd-compacted`: the required history has been compacted;
 * - `etcd-history`: the store was replaced or restored from a backup;
 * - `etcd-failed`: any other error of the server.
 */
export type EtcdErrorCode =
  | 'etcd-unreachable'
  | 'etcd-silent'
  | 'etcd-not-etcd'
  | 'etcd-tls'
  | 'etcd-auth'
  | 'etcd-permission'
  | 'etcd-compacted'
  | 'etcd-history'
  | 'etcd-failed';

/** A connection to etcd ended or failed. The message names the server, the action, the reason, and what to check. */
export class EtcdError extends TidemarkError {
  override readonly name = 'EtcdError';
  declare readonly code: EtcdErrorCode;

  constructor(code: EtcdErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** Whether an error is an {@link EtcdError} with this code. */
export function hasEtcdCode(error: unknown, code: EtcdErrorCode): boolean {
  return error instanceof EtcdError && error.code === code;
}

/** Converts an error of a server during an action, such as `listing v1/instances/`. */
export function toEtcdError(error: unknown, url: string, action: string): EtcdError {
  if (error instanceof EtcdError) return error;
  const { code, message } = describeServerError(texts, error, url, action);
  return new EtcdError(code, message, { cause: error });
}

const texts: ErrorTexts<EtcdErrorCode> = {
  system: 'etcd',
  defaultCode: 'etcd-failed',
  patterns: [
    [/certificate|CERT_|SSL|TLS|ssl3|wrong version number|EPROTO/i, 'etcd-tls'],
    [/permission denied/i, 'etcd-permission'],
    [/authentication|user name|password|auth token|unauthenticated/i, 'etcd-auth'],
    [/compacted/i, 'etcd-compacted'],
    [/deadline|timed? ?out/i, 'etcd-silent'],
    [/UNIMPLEMENTED|unknown service|Protocol error|HTTP status/i, 'etcd-not-etcd'],
    [
      /ECONN|ENOTFOUND|EHOST|ENET|EAI_|UNAVAILABLE|hang up|socket|reset|closed|No connection/i,
      'etcd-unreachable',
    ],
  ],
  advice: {
    'etcd-unreachable': 'Check that etcd runs and listens at this address.',
    'etcd-silent': 'Check the network, and whether the server is overloaded or stopped.',
    'etcd-not-etcd':
      'Check the port: the client port of etcd is 2379, and HTTP/1 servers and proxies do not work.',
    'etcd-tls':
      'Check the scheme of the URL (http or https), the certificate authority (ca) and the client certificate.',
    'etcd-auth': 'Check the user and the password, and whether authentication is enabled on the server.',
    'etcd-permission': 'Check the role of the user: it needs access to this prefix.',
    'etcd-compacted': 'tidemark lists the keys again.',
    'etcd-history': 'tidemark lists the keys again.',
    'etcd-failed': 'tidemark tries again.',
  },
};

/** Converts every error like {@link toEtcdError}. */
export function mapEtcdError<T>(url: string, action: string): MonoTypeOperatorFunction<T> {
  return catchError((error: unknown) => throwError(() => toEtcdError(error, url, action)));
}
