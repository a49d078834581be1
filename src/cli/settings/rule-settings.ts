import type { LoadPolicy } from '../../core/policy/load-policy.js';
import { LoadThresholdConfig } from '../../core/policy/load-threshold-config.js';
import {
  type LoadThresholds,
  type LoadThresholdUpdate,
  pickThresholds,
} from '../../core/policy/load-thresholds.js';
import { policies, policyNamed } from '../../core/policy/policies.js';
import { aCount, aNumber, aWord, declare, readText, type Setting, type ValuesOf } from './setting.js';

/** A threshold, or the word `None`, by which Dynamo turns a check off. */
function orNone<T>({ argument, read }: { readonly argument: string; readonly read: Setting<T>['read'] }) {
  return {
    argument,
    read: (texts: readonly string[]): T | null => (/^none$/i.test(readText(texts)) ? null : read(texts)),
  };
}

/** By which rules workers are judged. */
export const ruleSettings = declare({
  policy: {
    ...aWord('<name>', Object.keys(policies)),
    defaultValue: 'default',
    text: `rules of judgement: ${Object.keys(policies).join(', ')}`,
  },
  activeDecodeBlocksThreshold: {
    ...orNone(aNumber('<fraction>', 0, 1, { fraction: true })),
    env: 'DYN_ACTIVE_DECODE_BLOCKS_THRESHOLD',
    isFileFirst: true,
    text: 'busy above this fraction of the KV blocks, 0 to 1, or None',
  },
  activePrefillTokensThreshold: {
    ...orNone(aCount('<tokens>')),
    env: 'DYN_ACTIVE_PREFILL_TOKENS_THRESHOLD',
    isFileFirst: true,
    text: 'busy above this many prefill tokens, or None',
  },
  activePrefillTokensThresholdFrac: {
    ...orNone(aNumber('<fraction>', 0, Number.MAX_VALUE, { fraction: true })),
    env: 'DYN_ACTIVE_PREFILL_TOKENS_THRESHOLD_FRAC',
    isFileFirst: true,
    text: 'busy above this multiple of the batch limit, or None',
  },
});

/** The rules that the settings choose. */
export interface ChosenRules {
  readonly policy: LoadPolicy;
  readonly thresholds: LoadThresholdConfig;
}

/** The rules that the settings choose; with `defaults` as thresholds if none is set, not even to `None`. */
export function chosenRules(
  settings: ValuesOf<typeof ruleSettings>,
  defaults: LoadThresholdUpdate = {},
): ChosenRules {
  const policy = policyNamed(settings.policy);
  const given = pickThresholds(settings);
  const isGiven = Object.values(given).some((threshold) => threshold !== undefined);
  return { policy, thresholds: LoadThresholdConfig.defaults(policy).set(isGiven ? given : defaults) };
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
