/** Sizes of a drawn marble file, in pixels. */
export const layout = {
  margin: 16,
  column: 24,
  radius: 11,
  /** From one circle of a group to the next, downwards. */
  stack: 24,
  title: 18,
  line: 16,
  operator: 34,
  gap: 14,
  /** Width of a character of the legend, and of a title or an operator. */
  smallCharacter: 6.7,
  character: 8.2,
  /** Characters of the legend before it is cut. */
  legend: 100,
} as const;

/** The middle of a column. */
export function columnX(column: number): number {
  return layout.margin + layout.column * (column + 0.75);
}
