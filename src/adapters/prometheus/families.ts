import type { Family } from './family.js';
import { legacyFamilies } from './legacy-families.js';
import { poolFamilies } from './pool-families.js';
import { tidemarkFamilies } from './tidemark-families.js';
import { workerFamilies } from './worker-families.js';

/** Everything that a page tells, in its order. */
export const families: readonly Family[] = [
  ...workerFamilies,
  ...poolFamilies,
  ...tidemarkFamilies,
  ...legacyFamilies,
];
