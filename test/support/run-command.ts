import { Subject, type Observable } from 'rxjs';
import type { Terminal } from '../../src/cli/terminal.js';
import { eventually } from './eventually.js';

/** A command that runs in this process, with JSON output to a terminal that records it. */
export class RunningCommand {
  readonly objects: Record<string, unknown>[] = [];
  readonly err: string[] = [];
  private readonly end$ = new Subject<void>();
  private readonly done: Promise<number>;

  constructor(command: (terminal: Terminal, end$: Observable<unknown>) => Promise<number>) {
    const terminal: Terminal = {
      out: (line) => this.objects.push(JSON.parse(line) as Record<string, unknown>),
      err: (line) => this.err.push(line),
      progress: () => undefined,
    };
    this.done = command(terminal, this.end$);
  }

  of(kind: string): Record<string, unknown>[] {
    return this.objects.filter((object) => object['kind'] === kind);
  }

  /** Waits until the sources are live, all that are named. */
  async live(...sources: string[]): Promise<void> {
    await eventually(() => sources.every((source) => this.health(source) === 'live'));
  }

  /** The last status of a source. */
  health(source: string): unknown {
    return this.of('status').findLast((status) => status['source'] === source)?.['state'];
  }

  /** The transitions of each worker, in order, as texts; without departures. */
  transitions(): Record<string, string[]> {
    const byWorker: Record<string, string[]> = {};
    for (const { workerId, reason, text } of this.of('transition')) {
      if (reason !== 'left') (byWorker[String(workerId)] ??= []).push(String(text));
    }
    return byWorker;
  }

  /** The sets of busy workers after each transition, sorted. */
  busySets(): string[][] {
    const busy = new Set<string>();
    return this.of('transition').map(({ workerId, busy: now }) => {
      if (now === true) busy.add(String(workerId));
      else busy.delete(String(workerId));
      return [...busy].sort();
    });
  }

  /** Ends it as Ctrl-C would, and returns its summary. */
  async end(): Promise<Record<string, unknown>> {
    this.end$.next();
    await this.done;
    return this.of('summary')[0] ?? {};
  }
}
