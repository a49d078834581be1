import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { interval, merge, type SchedulerLike, type Subscription } from 'rxjs';
import { TidemarkError } from '../../core/errors.js';
import type { Problem } from '../../core/sources/problem.js';
import { errorText } from '../../operators/error-text.js';
import type { ThresholdBook } from '../../fleet/thresholds/threshold-book.js';
import {
  type ThresholdChange,
  type ThresholdEntry,
  targetKey,
} from '../../fleet/thresholds/threshold-entry.js';
import { NewerFormatError, parseThresholdFile, thresholdFileText } from './threshold-file-format.js';

/** How often the file is read again. */
const READ_INTERVAL_MS = 2_000;

type FileProblemCode = Extract<Problem['code'], 'thresholds-unreadable' | 'thresholds-not-saved'>;

/**
 * Keeps a book of thresholds in a file, which survives restarts and which several processes may share.
 *
 * 1. The file is written whole: into a new file, which then takes its name. A change of this process is applied to what
 *    another process wrote in between.
 * 2. The file is read again every 2 s. While it cannot be read, the thresholds are kept.
 * 3. A damaged file gets the name FILE.damaged-TIME. While the service runs, it must be the same for two reads, since
 *    another program may be writing it.
 * 4. Each problem is reported once until it is resolved. A failed write is tried again with the next read.
 */
export class ThresholdFile {
  private report: (problem: Problem) => void = (problem) => void this.unreported.push(problem);
  private readonly unreported: Problem[] = [];
  private readonly reported = new Map<FileProblemCode, string>();
  /** What the file contained when it was last read or written; `undefined` before. */
  private known: string | null | undefined;
  private damaged: string | null = null;
  /** The changes that the file does not contain yet. */
  private pending: ThresholdChange[] = [];
  private isLoading = false;
  private tail: Promise<void> = Promise.resolve();
  private queued: Promise<void> | null = null;

  constructor(
    private readonly path: string,
    private readonly book: ThresholdBook,
    private readonly wallNow: () => Date,
  ) {}

  /** Reads and writes the file from now on. Problems that were found before are reported first. */
  run(report: (problem: Problem) => void, scheduler: SchedulerLike): Subscription {
    this.report = report;
    for (const problem of this.unreported.splice(0)) report(problem);
    const subscription = this.book.changes$.subscribe({
      next: (change) => {
        if (!this.isLoading) this.pending.push(change);
      },
      // A book never errors.
      error: () => undefined,
    });
    subscription.add(
      merge(this.book.changes$, interval(READ_INTERVAL_MS, scheduler)).subscribe({
        next: () => void this.sync(),
        error: () => undefined,
      }),
    );
    return subscription;
  }

  /** Reads the file if it changed, and writes what it does not contain yet. It never rejects. */
  sync(): Promise<void> {
    this.queued ??= this.tail.then(() => {
      this.queued = null;
      return this.readAndWrite();
    });
    this.tail = this.queued;
    return this.queued;
  }

  private async readAndWrite(): Promise<void> {
    const isFirst = this.known === undefined;
    let text: string | null = null;
    try {
      text = await readText(this.path);
      if (text !== null && text !== this.known) this.load(text);
      this.reported.delete('thresholds-unreadable');
    } catch (error) {
      if (!(error instanceof TidemarkError) || error instanceof NewerFormatError) {
        this.fail('thresholds-unreadable', `Cannot read ${this.path}: ${errorText(error)}`);
        this.known ??= null;
        return;
      }
      if (!(await this.setAside(text, error, isFirst))) return;
      text = null;
    }
    this.known = text;
    if (this.pending.length === 0 && (text !== null || this.book.entries().length === 0)) return;
    const changes = this.pending.splice(0);
    try {
      this.known = await this.write();
      this.reported.delete('thresholds-not-saved');
    } catch (error) {
      this.pending.unshift(...changes);
      this.fail('thresholds-not-saved', `Cannot write ${this.path}: ${errorText(error)}`);
    }
  }

  /** @throws TidemarkError for a damaged file */
  private load(text: string): void {
    const origin = {
      at: this.wallNow().toISOString(),
      address: null,
      token: null,
      route: `file ${this.path}`,
    };
    const { entries, changes } = parseThresholdFile(text, this.book.policy, origin);
    const merged = new Map(entries.map((entry) => [targetKey(entry.target), entry] as const));
    for (const change of this.pending) applyChange(merged, change);
    this.isLoading = true;
    this.book.load([...merged.values()], [...changes, ...this.pending]);
    this.isLoading = false;
    this.damaged = null;
  }

  /** Renames a damaged file. Returns whether a new one may be written. */
  private async setAside(text: string | null, why: TidemarkError, isFirst: boolean): Promise<boolean> {
    if (!isFirst && text !== this.damaged) {
      this.damaged = text;
      return false;
    }
    this.damaged = null;
    const aside = `${this.path}.damaged-${this.wallNow().toISOString().replaceAll(':', '')}`;
    try {
      await rename(this.path, aside);
    } catch (error) {
      // Another process that shares the file may have renamed it.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
      this.fail(
        'thresholds-unreadable',
        `${this.path} is damaged and cannot be renamed: ${errorText(error)}`,
      );
      return false;
    }
    this.fail('thresholds-unreadable', `${this.path} is damaged, and is now ${aside}: ${why.message}`);
    return true;
  }

  private async write(): Promise<string> {
    const text = thresholdFileText(this.book);
    const temporary = `${this.path}.${process.pid}.tmp`;
    try {
      await writeFile(temporary, text, { flush: true });
      await rename(temporary, this.path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
    return text;
  }

  /** Reports a problem unless it is the last one that was reported with this code. */
  private fail(code: FileProblemCode, what: string): void {
    const text = `${what.replace(/\.$/, '')}. The thresholds in force are kept.`;
    if (this.reported.get(code) === text) return;
    this.reported.set(code, text);
    this.report({ code, source: 'thresholds', text, count: 1 });
  }
}

function applyChange(entries: Map<string, ThresholdEntry>, { target, after, origin }: ThresholdChange): void {
  const key = targetKey(target);
  if (after === null) entries.delete(key);
  else entries.set(key, { target, thresholds: after, origin });
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
