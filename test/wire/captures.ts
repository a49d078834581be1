import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { workerId, type WorkerId } from '../../src/core/worker-id.js';
import { decodeSegment } from '../../src/wire/text-codecs.js';
import { hex } from '../support/hex.js';

const root = fileURLToPath(new URL('../fixtures/captures', import.meta.url));

export const RELEASES = ['0.5.1', '0.6.0', '0.8.1', '0.9.1', '1.0.1', '1.1.1', '1.3.1', '1.4.2', '1.6.1'];

/** A key with its value as a real release wrote it; an empty value is a deletion that was watched. */
export interface CapturedEntry {
  readonly release: string;
  readonly file: string;
  readonly key: string;
  readonly value: Uint8Array;
  readonly lease: WorkerId;
}

/** Paths of the captures with this ending, relative to their folder. */
export function captureFiles(...endings: readonly string[]): readonly string[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => endings.some((ending) => file.endsWith(ending))).sort();
}

/** The lines of one capture. */
export function captureLines<T>(file: string): readonly T[] {
  const lines = readFileSync(`${root}/${file}`, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T);
}

/** Every key and value of etcd, watched or listed, and of the file store, in all releases. */
export function capturedEntries(): readonly CapturedEntry[] {
  return [...listed(), ...watched(), ...stored()];
}

interface Line {
  readonly key: string;
  readonly value_hex: string;
  readonly lease_hex: string;
}

function listed(): CapturedEntry[] {
  return captureFiles('/etcd.jsonl', 'zmq_etcd.jsonl').flatMap((file) =>
    captureLines<{ kvs: Line[] }>(file).flatMap(({ kvs }) => kvs.map((line) => entryOf(file, line))),
  );
}

function watched(): CapturedEntry[] {
  return captureFiles('etcd_watch.jsonl').flatMap((file) =>
    captureLines<Line>(file).map((line) => entryOf(file, line)),
  );
}

function stored(): CapturedEntry[] {
  return captureFiles('file_store.jsonl').flatMap((file) =>
    captureLines<{ files: { path: string; content_hex: string }[] }>(file).flatMap(({ files }) =>
      files.map(({ path, content_hex }) =>
        entryOf(file, { key: decodeSegment(path), value_hex: content_hex, lease_hex: '0' }),
      ),
    ),
  );
}

function entryOf(file: string, { key, value_hex, lease_hex }: Line): CapturedEntry {
  const lease = workerId(BigInt(`0x${lease_hex}`).toString());
  return { release: file.split('/')[0] ?? '', file, key, value: Buffer.from(value_hex, 'hex'), lease };
}

/** A NATS message of a real release. */
export interface CapturedMessage {
  readonly release: string;
  readonly file: string;
  readonly subject: string;
  readonly payload: Uint8Array;
}

/** Every NATS message of the captures: the event planes of nine releases. */
export function capturedMessages(): readonly CapturedMessage[] {
  return captureFiles('/nats.jsonl', '/nats_events.jsonl').flatMap((file) =>
    captureLines<{ subject: string; payload_hex: string }>(file).map(({ subject, payload_hex }) => ({
      release: file.split('/')[0] ?? '',
      file,
      subject,
      payload: hex(payload_hex),
    })),
  );
}
