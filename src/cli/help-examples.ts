/** Calls that show how a command is used, as they stand below its help. */
export function helpExamples(...calls: string[]): string {
  return `\nExamples:\n${calls.map((call) => `  $ tidemark ${call}`).join('\n')}`;
}
