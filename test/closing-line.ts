import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Ends the output of a run with one plain line: `N passed, N failed, N skipped`.
 *
 * 1. A file that does not load, a hook of a suite that fails and an error outside of any test count as failed.
 * 2. A run that exits with another code than 0 has at least one failure, also when no test ran.
 * 3. The line is written when the process exits, so that nothing follows it.
 */
export class ClosingLine implements Reporter {
  private passed = 0;
  private failed = 0;
  private skipped = 0;

  onInit(): void {
    process.once('exit', (code) => {
      const failed = code === 0 ? this.failed : Math.max(this.failed, 1);
      process.stdout.write(`${this.passed} passed, ${failed} failed, ${this.skipped} skipped\n`);
    });
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
}
