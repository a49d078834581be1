import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRecording } from '../../src/wire/recording/parse-recording.js';
import type { Recording } from '../../src/wire/recording/recording.js';

const fixtures = join(import.meta.dirname, '../fixtures');

/** A recording of the fixtures with the name of its file. */
export interface FixtureRecording {
  readonly file: string;
  readonly recording: Recording;
}

/** All recordings below a folder of the fixtures, small files first. */
function recordingsIn(folder: string): FixtureRecording[] {
  return readdirSync(join(fixtures, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.jsonl'))
    .map((file) => ({ file: join(folder, file), bytes: readFileSync(join(fixtures, folder, file)) }))
    .sort((a, b) => a.bytes.length - b.bytes.length)
    .map(({ file, bytes }) => ({ file, recording: parseRecording(bytes) }));
}

/** The recorded decisions of Dynamo, and tidemark's own recordings where there are none of Dynamo. */
export const oracle = recordingsIn('oracle');
export const own = recordingsIn('own');
