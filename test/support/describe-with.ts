import { describe, it } from 'vitest';
import { findProgram } from './find-program.js';
import { serverBinary, type FoundBinary, type ServerName } from './server-binary.js';

/** Programs that are installed or not: Debian's packages of them do not run unpacked. */
const installedOnly = ['openssl', 'chromium'] as const;

type Need = ServerName | (typeof installedOnly)[number];

/**
 * A suite that needs programs. Where one of them is missing its tests are skipped, and the name of the suite has the reason
 * and on the console; where `CI` is `true` a missing program is a failed test.
 */
export function describeWith(needs: Need | readonly Need[], name: string, body: () => void): void {
  describe(name, async () => {
    const missing = await missingOf([needs].flat());
    if (missing.length === 0) {
      body();
      return;
    }
    const reason = missing.join('; ');
    if (process.env['CI'] === 'true') {
      it('has what it needs', () => {
        throw new Error(reason);
      });
    }
    process.stderr.write(`skipped: ${name}: ${reason}\n`);
    describe.skip(`skipped: ${reason}`, body);
  });
}

async function missingOf(needs: readonly Need[]): Promise<string[]> {
  const found = await Promise.all(needs.map(find));
  return found.flatMap((entry) => ('missing' in entry ? [entry.missing] : []));
}

async function find(need: Need): Promise<FoundBinary> {
  const installed = installedOnly.find((name) => name === need);
  if (installed === undefined) return serverBinary(need as ServerName);
  const path = findProgram(installed);
  return path === undefined ? { missing: `${installed} is not installed` } : { path };
}
