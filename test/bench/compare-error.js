/** Why two revisions cannot be compared, and what to do about it. */
export class CompareError extends Error {
  /**
   * @param {'not-a-commit' | 'build-failed' | 'no-common-case'} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = 'CompareError';
    this.code = code;
  }
}
