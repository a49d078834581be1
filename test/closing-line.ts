import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** When a lane began and ended, in milliseconds. */
interface Span {
  begin: number;
  end: number;
}

/**
 * Ends the output of a run with plain lines: the seconds of each lane, and after them `N passed, N failed, N skipped`.
 *
 * 1. A file that does not load, a hook of a suite that fails and an error outside of any test count as failed.
 * 2. A run that exits with another code than 0 has at least one failure, also when no test ran.
 * 3. The lines are written when the process exits, so that nothing follows them.
 */
export class ClosingLine implements Reporter {
  private passed = 0;
  private failed = 0;
  private skipped = 0;
  private readonly lanes = new Map<string, Span>();

  onInit(): void {
    process.once('exit', (code) => {
      const failed = code === 0 ? this.failed : Math.max(this.failed, 1);
      process.stdout.write(this.laneLine());
      process.stdout.write(`${this.passed} passed, ${failed} failed, ${this.skipped} skipped\n`);
    });
  }

  onTestModuleQueued({ project }: TestModule): void {
    const now = performance.now();
    if (!this.lanes.has(project.name)) this.lanes.set(project.name, { begin: now, end: now });
  }

  onTestModuleEnd({ project }: TestModule): void {
    const span = this.lanes.get(project.name);
    if (span !== undefined) span.end = performance.now();
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    this.passed = 0;
    this.skipped = 0;
    this.failed = unhandledErrors.length;
    for (const module of modules) {
      for (const suite of [module, ...module.children.allSuites()]) {
        if (suite.errors().length > 0) this.failed += 1;
      }
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') this.passed += 1;
        else if (state === 'failed') this.failed += 1;
        else this.skipped += 1;
      }
    }
  }

  private laneLine(): string {
    const texts = [...this.lanes].map(
      ([lane, { begin, end }]) => `${lane} ${((end - begin) / 1000).toFixed(1)} s`,
    );
    return texts.length === 0 ? '' : `lanes: ${texts.join(', ')}\n`;
  }
}
