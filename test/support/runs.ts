/** How many cases a property is tried on: a few by default, a million in `npm run test:long`. */
export const runs = Number(process.env['TIDEMARK_RUNS'] ?? 20_000);
