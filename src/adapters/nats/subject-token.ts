/** Whether a text can be one word of a subject. */
export function isSubjectToken(text: string): boolean {
  return text !== '' && !/[\s.*>]/.test(text);
}
