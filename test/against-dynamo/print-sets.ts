/** Prints sequences of sets side by side, to show what was compared. */
export function printSets(
  title: string,
  setsByName: Readonly<Record<string, readonly (readonly string[])[]>>,
): void {
  const sequences = Object.entries(setsByName);
  const lines = [title];
  for (let n = 0; n < Math.max(...sequences.map(([, sets]) => sets.length)); n += 1) {
    const cells = sequences.map(([name, sets]) => `${name} {${sets[n]?.join(', ') ?? '-'}}`);
    lines.push(`${String(n + 1).padStart(4)}  ${cells.join('  ')}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}
