import { Option, type Command } from 'commander';
import { numberOption } from './number-option.js';

/** Where a live fleet is, as it stands on a command line or in Dynamo's own environment variables. */
export interface LiveOptions {
  readonly nats: string;
  readonly etcd: string;
  readonly namespace?: string;
  /** Seconds. Absent: until a signal. */
  readonly duration?: number;
  readonly json?: boolean;
}

/** Adds what every command on a live fleet takes. A flag wins over the environment. */
export function withLiveOptions(command: Command, namespace: string, seconds?: number): Command {
  const duration = numberOption(0.1, 2_000_000, { fraction: true });
  return command
    .addOption(natsOption())
    .addOption(
      new Option('--etcd <urls>', 'etcd hosts, with commas between them')
        .env('ETCD_ENDPOINTS')
        .default('http://localhost:2379'),
    )
    .addOption(namespaceOption(namespace))
    .option('--duration <seconds>', 'end by itself after so long', duration, seconds);
}

/** Where NATS is. */
export function natsOption(): Option {
  return new Option('--nats <urls>', 'NATS servers, with commas between them')
    .env('NATS_SERVER')
    .default('nats://localhost:4222');
}

export function namespaceOption(text: string): Option {
  return new Option('--namespace <name>', text).env('DYN_NAMESPACE');
}

/** The other variables of Dynamo that count for NATS, for the help. */
export const natsAccessHelp = `
Who we are comes from Dynamo's variables, so that no password stands on a command line:
  NATS_AUTH_USERNAME and NATS_AUTH_PASSWORD, NATS_AUTH_TOKEN, NATS_AUTH_NKEY or NATS_AUTH_CREDENTIALS_FILE;
  NATS_TLS_CA_CERT_PATH (a file); a user in the URL counts for that server.`;

/** The same of both servers. */
export const accessHelp = `${natsAccessHelp}
  ETCD_AUTH_USERNAME and ETCD_AUTH_PASSWORD; ETCD_AUTH_CA, ETCD_AUTH_CLIENT_CERT, ETCD_AUTH_CLIENT_KEY (PEM text).`;
