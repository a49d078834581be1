/** The kinds of trouble of a system, each known by what the errors of its client say; the first that fits counts. */
export type TroublePatterns<Code extends string> = readonly (readonly [RegExp, Code])[];

/** The kind of an error, by its system code and its text; `otherwise` where none fits. */
export function troubleCode<Code extends string>(
  error: unknown,
  text: string,
  patterns: TroublePatterns<Code>,
  otherwise: Code,
): Code {
  const systemCode = error instanceof Error && 'code' in error ? String(error.code) : '';
  return patterns.find(([pattern]) => pattern.test(`${systemCode} ${text}`))?.[1] ?? otherwise;
}

/** A text of somebody else's as a part of a sentence: one line, no end, not too long. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\.$/, '').slice(0, 400);
}
