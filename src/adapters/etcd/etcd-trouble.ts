import { TidemarkError } from '../../core/tidemark-error.js';
import { oneLine, troubleCode, type TroublePatterns } from '../../core/trouble-code.js';
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
 * - `etcd-failed`: anything else the server said.
 */
export type EtcdTroubleCode =
  | 'etcd-unreachable'
  | 'etcd-silent'
  | 'etcd-not-etcd'
  | 'etcd-tls'
  | 'etcd-auth'
  | 'etcd-permission'
  | 'etcd-compacted'
  | 'etcd-history'
  | 'etcd-failed';

/** Why a connection to etcd ended or did not come about: which server, what was tried, what to check. */
export class EtcdTrouble extends TidemarkError {
  override readonly name = 'EtcdTrouble';
  declare readonly code: EtcdTroubleCode;

  constructor(code: EtcdTroubleCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** The error as trouble with a server while something was tried, such as `list v1/instances/`. */
export function troubleOf(error: unknown, url: string, tried: string): EtcdTrouble {
  if (error instanceof EtcdTrouble) return error;
  const text = errorText(error);
  const code = troubleCode(error, text, BY_TEXT, 'etcd-failed');
  return new EtcdTrouble(code, `etcd at ${url}, ${tried}: ${oneLine(text)}. ${ADVICE[code]}`, {
    cause: error,
  });
}

const ADVICE: Readonly<Record<EtcdTroubleCode, string>> = {
  'etcd-unreachable': 'Check that etcd runs and listens there.',
  'etcd-silent': 'Check the network between here and there, and whether the server is overloaded or stopped.',
  'etcd-not-etcd': 'Check the port: etcd serves its clients on 2379, and no HTTP/1 server or proxy does.',
  'etcd-tls': 'Check the scheme of the URL (http or https), the authority (ca) and the client certificate.',
  'etcd-auth': 'Check the user and the password, and whether the server has authentication enabled.',
  'etcd-permission': "Check the role of the user: it needs the keys' prefix.",
  'etcd-compacted': 'The difference is taken from a new listing.',
  'etcd-history': 'The difference is taken from a new listing.',
  'etcd-failed': 'It is tried again.',
};

const BY_TEXT: TroublePatterns<EtcdTroubleCode> = [
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
