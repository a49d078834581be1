import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { FleetEvent } from '../../core/events/fleet-event.js';
import { stringifyJson } from '../../wire/json/json-value.js';
import type { RecordedStart, RecordingHeader } from '../../wire/recording/recording.js';
import { CliError } from '../terminal.js';

/** The first line of a recording. */
export function recordingHeaderText({ policy, description }: RecordingHeader): string {
  return stringifyJson({ tidemark: 'recording', version: 1, policy, description });
}

/** An event as a line of a recording, so many milliseconds after its beginning. */
export function recordedEventText(at: number, event: FleetEvent | RecordedStart): string {
  const plain = event.kind === 'configs' ? { ...event, workers: Object.fromEntries(event.workers) } : event;
  return stringifyJson({ at, event: plain });
}

/** A pipe takes as much in one piece, and a file in one page or two. */
const CHUNK_BYTES = 4096;

/**
 * Appends whole lines, and nothing but whole lines: every write ends with one, so that a reader of the file, or what a
 * kill leaves of it, has no torn line. Lines wait in memory for {@link flush}, never more than a piece of them; a disk
 * or a pipe that is slow is waited for.
 */
export class RecordingWriter {
  private pending = '';
  private pendingBytes = 0;
  /** Whether nobody reads the pipe any more (`tidemark record | head`); what is added then goes nowhere. */
  isReaderGone = false;

  private constructor(
    private readonly file: string,
    private readonly descriptor: number,
  ) {}

  /**
   * A new file, or standard output for `-`.
   *
   * @throws CliError for a file that is there already, or that cannot be made
   */
  static to(file: string): RecordingWriter {
    if (file === '-') return new RecordingWriter('standard output', 1);
    try {
      return new RecordingWriter(file, openSync(file, 'ax'));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why = code === 'EEXIST' ? 'it is there already; name another file' : message;
      throw new CliError(`${file} cannot be recorded to: ${why}.`, { cause: error });
    }
  }

  /** Adds a line, without its end. */
  add(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.pendingBytes + bytes > CHUNK_BYTES) this.flush();
    this.pending += `${line}\n`;
    this.pendingBytes += bytes;
  }

  /** Hands over what waits. @throws CliError when it cannot be written; no torn line is left then, either. */
  flush(): void {
    if (this.pendingBytes === 0 || this.isReaderGone) return;
    const bytes = Buffer.from(this.pending);
    this.pending = '';
    this.pendingBytes = 0;
    for (let from = 0; from < bytes.length;) {
      try {
        from += writeSync(this.descriptor, bytes, from);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        // A pipe that somebody made non-blocking and that is full: waited for, as a blocking one is.
        if (code === 'EAGAIN') {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
          continue;
        }
        if (code === 'EPIPE') {
          this.isReaderGone = true;
          return;
        }
        this.truncatePartialWrite(from);
        throw new CliError(`${this.file} cannot be written: ${message}. What was recorded is complete.`, {
          cause: error,
        });
      }
    }
  }

  close(): void {
    this.flush();
    if (this.descriptor !== 1) closeSync(this.descriptor);
  }

  /** Takes a piece that was written in part out again, where that can be done. */
  private truncatePartialWrite(bytes: number): void {
    if (bytes === 0 || this.descriptor === 1) return;
    ftruncateSync(this.descriptor, fstatSync(this.descriptor).size - bytes);
  }
}
