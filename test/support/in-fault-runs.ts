/**
 * Registers tests that take long only where `npm run test:faults` asked for them. Elsewhere they are not there at all,
 * for a skipped test stands for a missing program.
 */
export function inFaultRuns(register: () => void): void {
  if (process.env['TIDEMARK_FAULTS'] !== undefined) register();
}
