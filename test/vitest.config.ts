import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { ClosingLine } from './closing-line.js';

const againstDynamo = process.env['TIDEMARK_DYNAMO'] !== undefined;

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    // What runs Dynamo itself has a command of its own: it downloads a gigabyte first.
    include: [againstDynamo ? 'test/against-dynamo/*.nightly.test.ts' : 'test/**/*.test.ts'],
    exclude: againstDynamo ? [] : ['test/against-dynamo/**'],
    // A property on a million cases takes minutes; a test on a few is stuck after one.
    testTimeout: process.env['TIDEMARK_RUNS'] === undefined ? 60_000 : 3_600_000,
    reporters: ['default', new ClosingLine()],
  },
});
