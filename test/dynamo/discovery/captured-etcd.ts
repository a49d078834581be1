import { workerId, type WorkerId } from '../../../src/core/worker-id.js';
import type { DiscoveryChange } from '../../../src/dynamo/discovery/discovery-record.js';
import { hex } from '../../support/hex.js';
import { captureFiles, captureLines } from '../../wire/captures.js';

/** The keys of etcd at one stage of a capture, and its status. */
export interface CapturedStage {
  readonly stage: string;
  readonly revision: number;
  readonly content: readonly DiscoveryChange[];
}

/** One event of the capture's own watch on everything. */
export interface CapturedEvent {
  readonly revision: number;
  readonly change: DiscoveryChange;
}

/** The stages and the watch of one release's worker capture. */
export interface CapturedEtcd {
  readonly release: string;
  readonly stages: readonly CapturedStage[];
  readonly events: readonly CapturedEvent[];
}

interface Line {
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
    events: captureLines<Line>(file).map((line) => ({
      revision: Number(line.mod_revision),
      change: line.type === 'PUT' ? written(line) : { key: line.key },
    })),
    stages: captureLines<{ stage: string; revision: number; kvs: Line[] }>(
      file.replace('etcd_watch', 'etcd'),
    ).map(({ stage, revision, kvs }) => ({
      stage,
      revision: Number(revision),
      content: kvs.map(written),
    })),
  }));
}

function written({ key, value_hex, lease_hex }: Line): DiscoveryChange {
  return { key, value: hex(value_hex), lease: leaseOf(lease_hex) };
}

function leaseOf(hexText: string): WorkerId {
  return workerId(BigInt(`0x${hexText}`).toString());
}
