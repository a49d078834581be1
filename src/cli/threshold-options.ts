import type { Command } from 'commander';
import type { Count } from '../core/count.js';
import { parseCount, parseNumber } from '../core/number-text.js';
import type { LoadPolicy } from '../core/policy/load-policy.js';
import { LoadThresholdConfig } from '../core/policy/load-threshold-config.js';
import type { LoadThresholds } from '../core/policy/load-thresholds.js';
import { CliError } from './terminal.js';

/** The threshold options of a command line, named after Dynamo's own flags. */
export interface ThresholdOptions {
  readonly activeDecodeBlocksThreshold?: string;
  readonly activePrefillTokensThreshold?: string;
  readonly activePrefillTokensThresholdFrac?: string;
}

/** Adds the three threshold options to a command. */
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
 * The thresholds of a command line under a policy; `defaults` if none is given.
 *
 * @throws CliError for a value that is not a number; ThresholdError, with all values that the policy refuses
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
  const none = Object.values(given).every((threshold) => threshold === undefined);
  return LoadThresholdConfig.defaults(policy).set(none ? defaults : given);
}

/** A valid count keeps all its digits; the policy refuses any other number. */
function tokensOf(flag: string, text: string | undefined): Count | undefined {
  return parseCount(text ?? '') ?? numberOf(flag, text);
}

function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = parseNumber(text, { min: -Infinity, max: Infinity, fraction: true });
  if (value === null) throw new CliError(`${flag} must be a number, not ${JSON.stringify(text)}.`);
  return value;
}

/** The thresholds in words, for people. */
export function thresholdsText(thresholds: LoadThresholds): string {
  const parts = [
    [thresholds.activeDecodeBlocksThreshold, ' of the KV blocks'],
    [thresholds.activePrefillTokensThreshold, ' prefill tokens'],
    [thresholds.activePrefillTokensThresholdFrac, ' × the batch limit in prefill tokens'],
  ] as const;
  const set = parts.filter(([value]) => value !== null).map(([value, unit]) => `${value}${unit}`);
  return set.length === 0 ? 'no threshold is set' : `thresholds: ${set.join(', ')}`;
}
