import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { ClosingLine } from './closing-line.js';

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    // A property on a million cases takes minutes; a test on a few is stuck after one.
    testTimeout: process.env['TIDEMARK_RUNS'] === undefined ? 60_000 : 3_600_000,
    reporters: ['default', new ClosingLine()],
  },
});
