/** Prints rows with the same columns, to show what was compared. */
export function printTable(title: string, rows: readonly Readonly<Record<string, string>>[]): void {
  const columns = Object.keys(rows[0] ?? {});
  const lines = [Object.fromEntries(columns.map((column) => [column, column])), ...rows];
  const widths = columns.map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const texts = lines.map((line) =>
    columns
      .map((column, n) => (line[column] ?? '').padEnd(widths[n] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  process.stdout.write(`${[title, ...texts].join('\n')}\n`);
}
