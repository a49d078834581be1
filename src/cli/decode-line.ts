import type { LoadReported } from '../core/fleet-event.js';
import { workerIdFromHex, type WorkerId } from '../core/worker-id.js';
import type { DecodeError } from '../wire/decode-error.js';
import { decodeDiscoveryRecord, type DiscoveryRecord } from '../wire/discovery-record.js';
import { hexBytes } from '../wire/hex.js';
import type { LoadDecoder } from '../wire/load-decoder.js';
import { LOAD_TOPIC } from '../wire/load-topic.js';
import { parseSubject } from '../wire/subjects.js';

/** What `tidemark decode` says about one message or record. */
export type DecodedItem =
  LoadReported | DiscoveryRecord | { readonly kind: 'unknown' } | { readonly error: DecodeError };

/** One line of captured data as it may come; every field may be missing or of another type. */
interface CapturedLine {
  readonly subject?: unknown;
  readonly payload_hex?: unknown;
  readonly frames_hex?: unknown;
  readonly key?: unknown;
  readonly value_hex?: unknown;
  readonly lease_hex?: unknown;
  readonly kvs?: unknown;
  readonly files?: unknown;
  readonly path?: unknown;
  readonly content_hex?: unknown;
}

/**
 * Decodes one line of captured data: a NATS message (`subject`, `payload_hex`), a ZMQ message (`frames_hex`), a
 * record of a discovery store (`key`, `value_hex`, optionally `lease_hex`), or many of those (`kvs`, or `files` of
 * a file store).
 */
export function decodeLine(text: string, decoder: LoadDecoder): DecodedItem[] {
  let line: CapturedLine | null;
  try {
    line = JSON.parse(text) as CapturedLine | null;
  } catch {
    return [malformed('a line must be a JSON object')];
  }
  if (typeof line !== 'object' || line === null) return [malformed('a line must be a JSON object')];
  if (Array.isArray(line.kvs)) return line.kvs.map((record) => decodeRecord((record ?? {}) as CapturedLine));
  if (Array.isArray(line.files)) return line.files.map((file) => decodeFile((file ?? {}) as CapturedLine));
  if (line.key !== undefined) return [decodeRecord(line)];
  if (Array.isArray(line.frames_hex)) return [decodeFrames(line.frames_hex, decoder)];
  if (line.subject !== undefined) return [decodeMessage(line, decoder)];
  return [malformed('a line needs subject and payload_hex, or key and value_hex')];
}

function decodeMessage({ subject, payload_hex }: CapturedLine, decoder: LoadDecoder): DecodedItem {
  const payload = bytesOf(payload_hex);
  if (typeof subject !== 'string' || payload === undefined) {
    return malformed('subject must be a text and payload_hex hexadecimal');
  }
  return parseSubject(subject)?.topic === LOAD_TOPIC ? decodeLoad(payload, decoder) : { kind: 'unknown' };
}

/** ZMQ: routing key, publisher, sequence, and a frame of version byte, length and envelope. */
function decodeFrames(frames: readonly unknown[], decoder: LoadDecoder): DecodedItem {
  const [routing, publisher, sequence, body] = frames.map(bytesOf);
  if (frames.length !== 4 || !routing || !publisher || !sequence || !body) {
    return malformed('frames_hex must be four frames in hexadecimal');
  }
  const topic = new TextDecoder().decode(routing);
  if (topic !== LOAD_TOPIC && parseSubject(topic)?.topic !== LOAD_TOPIC) return { kind: 'unknown' };
  const length = body.length < 5 ? -1 : new DataView(body.buffer).getUint32(1);
  if (body[0] !== 1 || length !== body.length - 5)
    return malformed('the last frame is no frame of version 1');
  return decodeLoad(body.subarray(5), decoder);
}

function decodeLoad(payload: Uint8Array, decoder: LoadDecoder): DecodedItem {
  const decoded = decoder.decode(payload);
  if ('load' in decoded) return decoded.load;
  return 'error' in decoded ? decoded : { kind: 'unknown' };
}

function decodeRecord({ key, value_hex, lease_hex }: CapturedLine): DecodedItem {
  const value = bytesOf(value_hex);
  if (typeof key !== 'string' || value === undefined)
    return malformed('key must be a text and value_hex hexadecimal');
  const lease = leaseOf(lease_hex);
  return lease === null
    ? malformed('lease_hex must be a 64-bit hexadecimal number')
    : decodeDiscoveryRecord({ key, value, lease });
}

/** A file of the file store: its path is the key, percent-encoded. */
function decodeFile({ path, content_hex }: CapturedLine): DecodedItem {
  if (typeof path !== 'string') return malformed('path must be a text');
  try {
    return decodeRecord({ key: decodeURIComponent(path), value_hex: content_hex });
  } catch {
    return malformed('path must be percent-encoded');
  }
}

function leaseOf(hex: unknown): WorkerId | undefined | null {
  if (hex === undefined || hex === null || hex === '') return undefined;
  if (typeof hex !== 'string') return null;
  try {
    return workerIdFromHex(hex);
  } catch {
    return null;
  }
}

function bytesOf(hex: unknown): Uint8Array | undefined {
  return typeof hex === 'string' ? hexBytes(hex) : undefined;
}

function malformed(message: string): { readonly error: DecodeError } {
  return { error: { code: 'malformed', message, offset: 0 } };
}
