import { describe, expect, it } from 'vitest';
import { inhibitedDurationMs } from '../../src/dynamo/inhibited-duration.js';

describe('inhibitedDurationMs', () => {
  it.each([
    [undefined, 5000, 0],
    ['17', 17_000, 0],
    ['0', 0, 0],
    ['invalid', 5000, 1],
    ['', 5000, 1],
    ['-1', 5000, 1],
    ['1.5', 5000, 1],
    [' 17', 5000, 1],
    ['2147483', 2_147_483_000, 0],
    ['2147484', 5000, 1],
  ])('%j is %d ms', (text, durationMs, warnings) => {
    const warned: string[] = [];
    expect(inhibitedDurationMs(text, (warning) => warned.push(warning))).toBe(durationMs);
    expect(warned).toHaveLength(warnings);
  });
});
