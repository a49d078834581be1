import type { Command } from 'commander';
import { type Count, countOf } from '../core/count.js';
import type { LoadPolicy } from '../core/policy/load-policy.js';
import { LoadThresholdConfig } from '../core/policy/load-threshold-config.js';
import type { LoadThresholds } from '../core/policy/load-thresholds.js';
import { CliError } from './terminal.js';

/** Marks as they stand on a command line; named as Dynamo's own flags. */
export interface ThresholdOptions {
  readonly activeDecodeBlocksThreshold?: string;
  readonly activePrefillTokensThreshold?: string;
  readonly activePrefillTokensThresholdFrac?: string;
}

/** Adds the three marks to a command. */
export function withThresholdOptions(command: Command): Command {
  return command
    .option(
      '--active-decode-blocks-threshold <fraction>',
      'busy above this fraction of the KV blocks, 0 to 1',
    )
    .option('--active-prefill-tokens-threshold <tokens>', 'busy above this many prefill tokens')
    .option(
      '--active-prefill-tokens-threshold-frac <fraction>',
      'busy above this multiple of the batch limit',
    );
}

/**
 * The marks of a command line under a policy, with `otherwise` where no mark is given.
 *
 * @throws CliError for what is no number; ThresholdError, with everything the policy refuses
 */
export function thresholdsFromOptions(
  options: ThresholdOptions,
  policy: LoadPolicy,
  defaults: Parameters<LoadThresholdConfig['set']>[0],
): LoadThresholdConfig {
  const given = {
    activeDecodeBlocksThreshold: numberOf(
      '--active-decode-blocks-threshold',
      options.activeDecodeBlocksThreshold,
    ),
    activePrefillTokensThreshold: tokensOf(
      '--active-prefill-tokens-threshold',
      options.activePrefillTokensThreshold,
    ),
    activePrefillTokensThresholdFrac: numberOf(
      '--active-prefill-tokens-threshold-frac',
      options.activePrefillTokensThresholdFrac,
    ),
  };
  const none = Object.values(given).every((mark) => mark === undefined);
  return LoadThresholdConfig.defaults(policy).set(none ? defaults : given);
}

/** A whole number keeps all its digits. */
function tokensOf(flag: string, text: string | undefined): Count | undefined {
  return text !== undefined && /^[0-9]+$/.test(text) ? countOf(BigInt(text)) : numberOf(flag, text);
}

function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isNaN(value)) throw new CliError(`${flag} must be a number, not ${JSON.stringify(text)}.`);
  return value;
}

/** The marks in force, for people. */
export function thresholdsText(thresholds: LoadThresholds): string {
  const parts = [
    [thresholds.activeDecodeBlocksThreshold, ' of the KV blocks'],
    [thresholds.activePrefillTokensThreshold, ' prefill tokens'],
    [thresholds.activePrefillTokensThresholdFrac, ' × the batch limit in prefill tokens'],
  ] as const;
  const set = parts.filter(([mark]) => mark !== null).map(([mark, of]) => `${mark}${of}`);
  return set.length === 0 ? 'marks are off' : `marks: ${set.join(', ')}`;
}
