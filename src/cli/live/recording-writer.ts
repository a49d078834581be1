import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { CliError } from '../terminal.js';

/** A write of this size to a pipe is atomic; to a file, it touches one or two pages. */
const CHUNK_BYTES = 4096;

/**
 * Appends lines to a recording.
 *
 * 1. Every write ends with a complete line, so that the file never contains a partial line, even if the process is killed.
 * 2. Lines wait in memory for {@link flush}, at most 4 KiB of them.
 * 3. Writes are synchronous: a slow disk or pipe blocks the process.
 */
export class RecordingWriter {
  private pending = '';
  private pendingBytes = 0;
  /** Whether the reader of the pipe has closed it (`tidemark record | head`). Further lines are then discarded. */
  isReaderGone = false;

  private constructor(
    private readonly file: string,
    private readonly descriptor: number,
  ) {}

  /**
   * Creates a new file, or uses standard output for `-`.
   *
   * @throws CliError if the file already exists or cannot be created
   */
  static to(file: string): RecordingWriter {
    if (file === '-') return new RecordingWriter('standard output', 1);
    try {
      return new RecordingWriter(file, openSync(file, 'ax'));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why = code === 'EEXIST' ? 'the file already exists; choose another name' : message;
      throw new CliError(`Cannot record to ${file}: ${why}.`, { cause: error });
    }
  }

  /** Adds a line, given without its line break. */
  add(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.pendingBytes + bytes > CHUNK_BYTES) this.flush();
    this.pending += `${line}\n`;
    this.pendingBytes += bytes;
  }

  /** Writes the waiting lines. @throws CliError if they cannot be written; the file still has complete lines only. */
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
        // A full pipe that another process made non-blocking: wait, as with a blocking pipe.
        if (code === 'EAGAIN') {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
          continue;
        }
        if (code === 'EPIPE') {
          this.isReaderGone = true;
          return;
        }
        this.truncatePartialWrite(from);
        throw new CliError(
          `Cannot write to ${this.file}: ${message}. The lines recorded so far are complete.`,
          {
            cause: error,
          },
        );
      }
    }
  }

  close(): void {
    this.flush();
    if (this.descriptor !== 1) closeSync(this.descriptor);
  }

  /** Removes a partially written chunk from a file. On standard output that is not possible. */
  private truncatePartialWrite(bytes: number): void {
    if (bytes === 0 || this.descriptor === 1) return;
    ftruncateSync(this.descriptor, fstatSync(this.descriptor).size - bytes);
  }
}
