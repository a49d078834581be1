import { hex } from '../../support/hex.js';
import { captureFiles, captureLines } from '../captures.js';

/** A reply of a real release's micro service. */
export interface CapturedReply {
  readonly release: string;
  readonly stage: string;
  readonly subject: string;
  readonly payload: Uint8Array;
}

/** Every reply to `$SRV.…` in the captures of 0.5.1 and 0.6.0. */
export function capturedReplies(): readonly CapturedReply[] {
  return captureFiles('/srv.jsonl').flatMap((file) =>
    captureLines<{ stage: string; request_subject: string; replies: { payload_hex: string }[] }>(
      file,
    ).flatMap(({ stage, request_subject: subject, replies }) =>
      replies.map(({ payload_hex }) => ({
        release: file.split('/')[0] ?? '',
        stage,
        subject,
        payload: hex(payload_hex),
      })),
    ),
  );
}
