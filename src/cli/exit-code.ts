/** What the process tells its caller: all well, an expectation did not hold, or the call cannot be carried out. */
export const exitCode = { ok: 0, failed: 1, usage: 2 } as const;
