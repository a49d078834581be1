/** How many cases a property is tried on: some thousands by default, a million in `npm run test:long`. */
export const runs = Number(process.env['TIDEMARK_RUNS'] ?? 10_000);
