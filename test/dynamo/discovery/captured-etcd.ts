import type { KeyChange } from '../../../src/core/sources/key-source.js';
import { workerId, type WorkerId } from '../../../src/core/worker-id.js';
import { hex } from '../../support/hex.js';
import { captureFiles, captureLines } from '../../wire/captures.js';

/** The keys of etcd at one stage of a capture, and its status. */
export interface CapturedStage {
  readonly stage: string;
  readonly revision: number;
  readonly content: readonly KeyChange[];
}

/** One event of the capture's own watch on everything. */
export interface CapturedEvent {
  readonly revision: number;
  readonly change: KeyChange;
}

/** The stages and the watch of one release's worker capture. */
export interface CapturedEtcd {
  readonly release: string;
  readonly stages: readonly CapturedStage[];
  readonly events: readonly CapturedEvent[];
}

/** One key in a capture. */
export interface CapturedLine {
  readonly type: 'PUT' | 'DELETE';
  readonly key: string;
  readonly value_hex: string;
  readonly lease_hex: string;
  readonly mod_revision: number;
}

/** The etcd contents of all releases of which there is a watch too. */
export function readCapturedEtcd(): readonly CapturedEtcd[] {
  return captureFiles('/etcd_watch.jsonl').map((file) => ({
    release: file.split('/')[0] ?? '',
    events: captureLines<CapturedLine>(file).map((line) => ({
      revision: Number(line.mod_revision),
      change: line.type === 'PUT' ? writtenKey(line) : { key: line.key },
    })),
    stages: captureLines<{ stage: string; revision: number; kvs: CapturedLine[] }>(
      file.replace('etcd_watch', 'etcd'),
    ).map(({ stage, revision, kvs }) => ({
      stage,
      revision: Number(revision),
      content: kvs.map(writtenKey),
    })),
  }));
}

/** A key of a capture as a change. */
export function writtenKey({ key, value_hex, lease_hex }: CapturedLine): KeyChange {
  return { key, value: hex(value_hex), lease: leaseOf(lease_hex) };
}

function leaseOf(hexText: string): WorkerId {
  return workerId(BigInt(`0x${hexText}`).toString());
}
