import type { KeyChange } from '../../core/sources/key-source.js';
import type { Problem } from '../../core/sources/problem.js';
import { catchDecodeFailure } from '../../wire/decode-error.js';
import { readDiscoveryValue, readEventTransport } from '../../wire/discovery/discovery-values.js';
import { LOAD_TOPIC } from '../../wire/loads/envelope.js';
import { quoted } from './card-problems.js';
import { parseDiscoveryKey } from './discovery-keys.js';

/** The address of a publisher that does not send its loads over NATS; `null` for any other record. */
function addressElsewhere(key: string, value: Uint8Array): string | null {
  const parsed = parseDiscoveryKey(key);
  if (!('kind' in parsed) || parsed.kind !== 'eventChannel') return null;
  // Whose id it is does not matter here.
  const transport = catchDecodeFailure(() =>
    readEventTransport(readDiscoveryValue(value, parsed.kind, null)),
  );
  if (transport === null || 'error' in transport) return null;
  // A broker passes on every topic.
  if (transport.kind === 'zmqBroker') return transport.xpubEndpoints[0] ?? '';
  return transport.kind === 'zmq' && parsed.topic === LOAD_TOPIC ? transport.endpoint : null;
}

/**
 * The publishers that announce their loads over ZMQ, which nobody hears over NATS. They are reported when the first one
 * appears, and again only when their number has doubled. A record that cannot be decoded says nothing.
 */
export class LoadChannels {
  private readonly addresses = new Map<string, string>();
  private reported = 0;

  /** The keys of these publishers. */
  keys(): Iterable<string> {
    return this.addresses.keys();
  }

  apply({ key, value }: KeyChange): void {
    const address = value === undefined ? null : addressElsewhere(key, value);
    if (address === null) this.addresses.delete(key);
    else this.addresses.set(key, address);
  }

  /** The present problem, if there is one. */
  list(): Problem[] {
    const [address] = this.addresses.values();
    if (address === undefined) return [];
    const count = this.addresses.size;
    const publishers = count === 1 ? 'a publisher announces' : `${count} publishers announce`;
    const text =
      `${publishers} in discovery that the loads go over ZMQ, such as at ${quoted(address)}, and not over NATS: start the ` +
      'workers with DYN_EVENT_PLANE=nats';
    return [{ code: 'loads-over-zmq', source: 'loads', text, count }];
  }

  /** The problem to report now. */
  takeNew(): Problem[] {
    const { size } = this.addresses;
    if (size > 0 && size < 2 * this.reported) return [];
    this.reported = size;
    return this.list();
  }
}
