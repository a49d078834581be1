import { type ErrorPatterns, TidemarkError, errorCode, oneLine } from '../../core/errors.js';
import { errorText } from '../../operators/error-text.js';

/**
 * What ended a connection to NATS:
 *
 * - `nats-unreachable`: no connection; refused, no such host, cut.
 * - `nats-silent`: connected, and no answer in time.
 * - `nats-not-nats`: something else answers there.
 * - `nats-tls`: no agreement about encryption or certificates.
 * - `nats-auth`: the user, password, token or key is refused, or one is needed.
 * - `nats-permission`: the user may not do that.
 * - `nats-protocol`: bytes that are no NATS came in between.
 * - `nats-package`: the client's package is not installed.
 * - `nats-failed`: anything else.
 */
export type NatsErrorCode =
  | 'nats-unreachable'
  | 'nats-silent'
  | 'nats-not-nats'
  | 'nats-tls'
  | 'nats-auth'
  | 'nats-permission'
  | 'nats-protocol'
  | 'nats-package'
  | 'nats-failed';

/** Why a connection to NATS ended or did not come about: which server, what was tried, what to check. */
export class NatsError extends TidemarkError {
  override readonly name = 'NatsError';
  declare readonly code: NatsErrorCode;

  constructor(code: NatsErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** The error as trouble with a server while something was tried, such as `subscribing to namespace.*.kv_metrics`. */
export function toNatsError(error: unknown, url: string, tried: string): NatsError {
  if (error instanceof NatsError) return error;
  const text = errorText(error);
  const code = errorCode(error, text, BY_TEXT, 'nats-failed');
  return new NatsError(code, `NATS at ${url}, ${tried}: ${oneLine(text)}. ${ADVICE[code]}`, {
    cause: error,
  });
}

const ADVICE: Readonly<Record<NatsErrorCode, string>> = {
  'nats-unreachable': 'Check that the server runs and listens there.',
  'nats-silent': 'Check the network between here and there, and whether the server is overloaded or stopped.',
  'nats-not-nats': 'Check the port: NATS serves its clients on 4222; 8222 is its monitoring page.',
  'nats-tls':
    'Check whether the server wants encryption (tls), the authority (ca) and the client certificate.',
  'nats-auth':
    'Check the user, password, token, key or credentials, whether these have run out, and whether the server wants any.',
  'nats-permission': 'Check the permissions of the user for that subject.',
  'nats-protocol': 'It is connected again; look for a proxy in between that changes bytes.',
  'nats-package': 'Install it: npm install nats',
  'nats-failed': 'It is tried again.',
};

const BY_TEXT: ErrorPatterns<NatsErrorCode> = [
  [/permission/i, 'nats-permission'],
  [/AUTHORIZATION|AUTHENTICATION|BAD_CREDS|ACCOUNT_EXPIRED|nkey|jwt|seed/i, 'nats-auth'],
  [/certificate|CERT_|SSL|TLS|ssl3|wrong version number|EPROTO|SERVER_OPT_NA|not available/i, 'nats-tls'],
  [/unexpected response|no NATS/i, 'nats-not-nats'],
  [/PROTOCOL_ERR|protocol|parse/i, 'nats-protocol'],
  [/timed? ?out|stale/i, 'nats-silent'],
  [/ECONN|ENOTFOUND|EHOST|ENET|EAI_|REFUSED|socket|reset|closed|disconnect/i, 'nats-unreachable'],
];
