import { type ErrorTexts, TidemarkError, describeServerError } from '../../core/errors.js';

/**
 * Why a connection to NATS ended or failed:
 *
 * - `nats-unreachable`: the connection was refused or lost, or the host is unknown;
 * - `nats-silent`: no answer in time;
 * - `nats-not-nats`: the peer is not a NATS server;
 * - `nats-tls`: the TLS handshake failed, or only one side wants TLS;
 * - `nats-auth`: the user, password, token or key is wrong or missing;
 * - `nats-limit`: the server or the account has reached one of its limits, such as that of connections;
 * - `nats-permission`: the user has no permission for the subject;
 * - `nats-protocol`: the connection carried bytes that are not NATS;
 * - `nats-failed`: any other error.
 */
export type NatsErrorCode =
  | 'nats-unreachable'
  | 'nats-silent'
  | 'nats-not-nats'
  | 'nats-tls'
  | 'nats-auth'
  | 'nats-limit'
  | 'nats-permission'
  | 'nats-protocol'
  | 'nats-failed';

/** A connection to NATS ended or failed. The message names the server, the action, the reason, and what to check. */
export class NatsError extends TidemarkError {
  override readonly name = 'NatsError';
  declare readonly code: NatsErrorCode;

  constructor(code: NatsErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** Converts an error of a server during an action, such as `subscribing to namespace.*.kv_metrics`. */
export function toNatsError(error: unknown, url: string, action: string): NatsError {
  if (error instanceof NatsError) return error;
  const { code, message } = describeServerError(texts, error, url, action);
  return new NatsError(code, message, { cause: error });
}

const texts: ErrorTexts<NatsErrorCode> = {
  system: 'NATS',
  defaultCode: 'nats-failed',
  patterns: [
    [/permission/i, 'nats-permission'],
    [/maximum .*exceeded/i, 'nats-limit'],
    [/AUTHORIZATION|AUTHENTICATION|BAD_CREDS|ACCOUNT_EXPIRED|nkey|jwt|seed/i, 'nats-auth'],
    [/certificate|CERT_|SSL|TLS|ssl3|wrong version number|EPROTO|SERVER_OPT_NA|not available/i, 'nats-tls'],
    [/unexpected response|no NATS/i, 'nats-not-nats'],
    [/PROTOCOL_ERR|protocol|parse/i, 'nats-protocol'],
    [/timed? ?out|stale|before it answered/i, 'nats-silent'],
    [/ECONN|ENOTFOUND|EHOST|ENET|EAI_|REFUSED|EPIPE|socket|reset|closed|disconnect/i, 'nats-unreachable'],
  ],
  advice: {
    'nats-unreachable': 'Check that the server runs and listens at this address.',
    'nats-silent':
      'Check the network, whether the server is overloaded or stopped, and whether it expects TLS first (tls.handshakeFirst).',
    'nats-not-nats': 'Check the port: the client port of NATS is 4222, and 8222 is its monitoring port.',
    'nats-tls':
      'Check whether the server requires TLS (tls), the certificate authority (ca) and the client certificate.',
    'nats-auth':
      'Check the user, password, token, key or credentials: they may be wrong, expired, or missing.',
    'nats-limit': 'Raise the limit of the server or of the account, or end other connections.',
    'nats-permission': 'Check the permissions of the user for that subject.',
    'nats-protocol': 'tidemark connects again. Look for a proxy that changes bytes.',
    'nats-failed': 'tidemark tries again.',
  },
};
