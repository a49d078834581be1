import { type MonoTypeOperatorFunction, catchError, throwError } from 'rxjs';
import { type ErrorPatterns, TidemarkError, errorCode, oneLine } from '../../core/errors.js';
import { errorText } from '../../operators/error-text.js';

/**
 * What ended a connection to etcd:
 *
 * - `etcd-unreachable`: no connection; refused, no such host, cut.
 * - `etcd-silent`: connected, and no answer in time.
 * - `etcd-not-etcd`: something else answers there.
 * - `etcd-tls`: no agreement about certificates.
 * - `etcd-auth`: the user or the password is refused, or one is needed.
 * - `etcd-permission`: the user may not read or write there.
 * - `etcd-compacted`: history that was needed is compacted away.
 * - `etcd-history`: the store went back in time: it was replaced or restored.
 * - `etcd-package`: the client's package is not installed.
 * - `etcd-failed`: anything else the server said.
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
  | 'etcd-package'
  | 'etcd-failed';

/** Why a connection to etcd ended or did not come about: which server, what was tried, what to check. */
export class EtcdError extends TidemarkError {
  override readonly name = 'EtcdError';
  declare readonly code: EtcdErrorCode;

  constructor(code: EtcdErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** The error as trouble with a server while something was tried, such as `list v1/instances/`. */
export function toEtcdError(error: unknown, url: string, tried: string): EtcdError {
  if (error instanceof EtcdError) return error;
  const text = errorText(error);
  const code = errorCode(error, text, BY_TEXT, 'etcd-failed');
  return new EtcdError(code, `etcd at ${url}, ${tried}: ${oneLine(text)}. ${ADVICE[code]}`, {
    cause: error,
  });
}

const ADVICE: Readonly<Record<EtcdErrorCode, string>> = {
  'etcd-unreachable': 'Check that etcd runs and listens there.',
  'etcd-silent': 'Check the network between here and there, and whether the server is overloaded or stopped.',
  'etcd-not-etcd': 'Check the port: etcd serves its clients on 2379, and no HTTP/1 server or proxy does.',
  'etcd-tls': 'Check the scheme of the URL (http or https), the authority (ca) and the client certificate.',
  'etcd-auth': 'Check the user and the password, and whether the server has authentication enabled.',
  'etcd-permission': "Check the role of the user: it needs the keys' prefix.",
  'etcd-compacted': 'The difference is taken from a new listing.',
  'etcd-history': 'The difference is taken from a new listing.',
  'etcd-package': 'Install it: npm install etcd3',
  'etcd-failed': 'It is tried again.',
};

const BY_TEXT: ErrorPatterns<EtcdErrorCode> = [
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
];

/** Every error as trouble with a server while something was tried. */
export function mapEtcdError<T>(url: string, tried: string): MonoTypeOperatorFunction<T> {
  return catchError((error: unknown) => throwError(() => toEtcdError(error, url, tried)));
}
