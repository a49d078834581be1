import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration, type ViteUserConfig } from 'vitest/config';
import { ClosingLine } from './closing-line.js';

const build = fileURLToPath(new URL('support/build.ts', import.meta.url));

/** Tests outside the unit lane have a suffix. */
const suffixes = ['servers', 'product', 'nightly'] as const;

/** The lanes run one after the other, in this order. */
const lanes: readonly TestProjectInlineConfiguration[] = [
  {
    // Source only: no server, no build, no process.
    test: {
      name: 'unit',
      include: ['test/**/*.test.ts'],
      exclude: suffixes.map((suffix) => `test/**/*.${suffix}.test.ts`),
      maxWorkers: 2,
    },
  },
  {
    // These tests listen on ports or start servers. They mostly wait, hence more workers than the usual two cores.
    test: { name: 'servers', include: ['test/**/*.servers.test.ts'], maxWorkers: 4 },
  },
  {
    // The built package, the command line, the README and the examples.
    test: { name: 'product', include: ['test/**/*.product.test.ts'], globalSetup: build, maxWorkers: 3 },
  },
  {
    // Tests that take minutes to hours. One file at a time, because some of them measure.
    test: {
      name: 'nightly',
      include: ['test/**/*.nightly.test.ts'],
      globalSetup: build,
      maxWorkers: 1,
      testTimeout: 6 * 3_600_000,
    },
  },
];

/** The lanes of the tests below `root`; the tests of the tests have a folder of their own. */
export function configFor(root: string): ViteUserConfig {
  return defineConfig({
    root,
    test: {
      // The limits are for tests that never end, not for a slow machine.
      testTimeout: process.env['TIDEMARK_RUNS'] === undefined ? 600_000 : 3_600_000,
      hookTimeout: 600_000,
      teardownTimeout: 60_000,
      reporters: ['default', new ClosingLine()],
      projects: lanes.map(({ test }, groupOrder) => ({
        extends: true,
        test: { ...test, sequence: { groupOrder } },
      })),
    },
  });
}

export default configFor(fileURLToPath(new URL('..', import.meta.url)));
