/** Prints sequences of sets beside each other, so that whoever reads sees what was compared. */
export function printSets(
  title: string,
  byWho: Readonly<Record<string, readonly (readonly string[])[]>>,
): void {
  const sequences = Object.entries(byWho);
  const lines = [title];
  for (let n = 0; n < Math.max(...sequences.map(([, sets]) => sets.length)); n += 1) {
    const cells = sequences.map(([who, sets]) => `${who} {${sets[n]?.join(', ') ?? '-'}}`);
    lines.push(`${String(n + 1).padStart(4)}  ${cells.join('  ')}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}
