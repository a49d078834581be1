/**
 * Files that break a rule today. These lists may only get shorter: `test/lint/rules.test.ts` fails for a file here that
 * no longer breaks its rule.
 */
export const exceptions = {
  /** Transports that name a subject, a key or a variable of Dynamo. */
  dynamoNames: [],
  /** Plain JavaScript that runs before anything is compiled, and so cannot use `test/support/processes.ts`. */
  processStarters: ['test/bench/cases/nats.js', 'test/bench/cases/stats.js', 'test/bench/run-command.js'],
};
