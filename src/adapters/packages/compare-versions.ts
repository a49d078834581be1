/** Compares two versions by their numbers: negative when `a` is older. A pre-release counts as its release. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  const differs = [0, 1, 2].find((place) => left[place] !== right[place]);
  return differs === undefined ? 0 : (left[differs] ?? 0) - (right[differs] ?? 0);
}

function numbersOf(version: string): number[] {
  return version
    .replace(/[-+].*/, '')
    .split('.')
    .map(Number);
}
