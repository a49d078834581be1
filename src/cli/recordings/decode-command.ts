import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { LoadReceived } from '../../core/events/fleet-event.js';
import { policyNamed } from '../../core/policy/policies.js';
import { type WorkerId, workerIdFromHex } from '../../core/worker-id.js';
import type { DecodeError } from '../../wire/decode-error.js';
import { type DiscoveryRecord, decodeDiscoveryRecord } from '../../dynamo/discovery/discovery-record.js';
import { stringifyJson } from '../../wire/json/json-value.js';
import { LoadDecoder } from '../../wire/loads/load-decoder.js';
import { parseSubject } from '../../dynamo/loads/subjects.js';
import { LOAD_TOPIC } from '../../wire/loads/envelope.js';
import { parseHex } from '../../wire/text-codecs.js';
import { helpExamples, policyOption } from '../command-options.js';
import { inputLines } from '../read-input.js';
import { type Terminal, exitCode } from '../terminal.js';

/** The options of `tidemark decode`. */
export interface DecodeOptions {
  readonly policy: string;
}

/** Adds `tidemark decode`. */
export function addDecodeCommand(
  root: Command,
  terminal: Terminal,
  standardInput: Readable,
  finish: (code: number) => void,
): void {
  root
    .command('decode')
    .description('decode captured load messages and discovery records; print one JSON object per line')
    .argument(
      '[file]',
      'JSON Lines with subject and payload_hex, or key, value_hex and lease_hex; - is standard input',
    )
    .addOption(policyOption('policy that decides which messages are accepted').default('default'))
    .addHelpText(
      'after',
      '\nOutput, in the order of the input: {"kind":"load",…} as in a recording,\n' +
        '{"kind":"instance"|"model"|"eventChannel",…}, {"kind":"unknown"}, or {"error":{"code","message","offset"}}.\n' +
        'Ids are decimal strings, and so are counts above 2^53 − 1. An empty value_hex is a removal. The number of\n' +
        'items of each kind goes to standard error.\n' +
        helpExamples('decode nats.jsonl', 'decode --policy dynamo-1.6 < nats.jsonl'),
    )
    .action(async (file: string | undefined, options: DecodeOptions) =>
      finish(await decodeCommand(file, options, terminal, standardInput)),
    );
}

/**
 * `tidemark decode`: decodes captured bytes and prints one JSON object per line, in the order of the input. An item that
 * cannot be decoded gives an object with `error`. The number of items of each kind goes to standard error.
 */
async function decodeCommand(
  file: string | undefined,
  options: DecodeOptions,
  terminal: Terminal,
  standardInput: Readable,
): Promise<number> {
  const decoder = new LoadDecoder(policyNamed(options.policy));
  const counts = new Map<string, number>();
  for await (const { text } of inputLines(file, standardInput)) {
    for (const decoded of decodeLine(text, decoder)) {
      const kind = 'error' in decoded ? 'error' : decoded.kind;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      terminal.out(stringifyJson(decoded));
    }
  }
  const sum = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `${count} ${kind}`);
  terminal.err(`decoded under ${options.policy}: ${sum.join(', ') || 'nothing'}`);
  return exitCode.ok;
}

/** The output of `tidemark decode` for one message or record. */
export type DecodedItem =
  LoadReceived | DiscoveryRecord | { readonly kind: 'unknown' } | { readonly error: DecodeError };

/** One line of captured data. Every field may be missing or have a wrong type. */
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
function decodeLine(text: string, decoder: LoadDecoder): DecodedItem[] {
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
    return malformed('subject must be a string and payload_hex must be hexadecimal');
  }
  return parseSubject(subject)?.topic === LOAD_TOPIC ? decodeLoad(payload, decoder) : { kind: 'unknown' };
}

/** A ZMQ message has four frames: routing key, publisher, sequence number, and version byte, length and envelope. */
function decodeFrames(frames: readonly unknown[], decoder: LoadDecoder): DecodedItem {
  const [routing, publisher, sequence, body] = frames.map(bytesOf);
  if (frames.length !== 4 || !routing || !publisher || !sequence || !body) {
    return malformed('frames_hex must be four frames in hexadecimal');
  }
  const topic = new TextDecoder().decode(routing);
  if (topic !== LOAD_TOPIC && parseSubject(topic)?.topic !== LOAD_TOPIC) return { kind: 'unknown' };
  const length = body.length < 5 ? -1 : new DataView(body.buffer).getUint32(1);
  if (body[0] !== 1 || length !== body.length - 5)
    return malformed('the last frame is not a version 1 frame');
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
    return malformed('key must be a string and value_hex must be hexadecimal');
  const lease = leaseOf(lease_hex);
  return lease === null
    ? malformed('lease_hex must be a 64-bit hexadecimal number')
    : decodeDiscoveryRecord({ key, value, lease });
}

/** A file of the file store. Its path is the percent-encoded key. */
function decodeFile({ path, content_hex }: CapturedLine): DecodedItem {
  if (typeof path !== 'string') return malformed('path must be a string');
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
  return typeof hex === 'string' ? parseHex(hex) : undefined;
}

function malformed(message: string): { readonly error: DecodeError } {
  return { error: { code: 'malformed', message, offset: 0 } };
}
