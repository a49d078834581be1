import { describe, expect, it } from 'vitest';
import { type PlayerName, playRecording } from '../../../src/testing/recordings/play-recording.js';
import { oracle, own, type FixtureRecording } from '../../support/fixture-recordings.js';

const failures = ({ file, recording }: FixtureRecording, player: PlayerName): unknown[] =>
  playRecording(recording, { player }).failures.map((failure) => ({ file, ...failure }));

describe('recorded decisions of the original', () => {
  it.each(['model', 'fast'] as const)('hold, all 15 174 of five generations, for the %s state', (player) => {
    const expectations = oracle.reduce(
      (sum, one) => sum + playRecording(one.recording, { player }).expectations,
      0,
    );
    expect(expectations).toBe(15_174);
    expect(oracle.flatMap((one) => failures(one, player))).toEqual([]);
  });

  // Each edge recording is named for the rule it shows.
  it.each(oracle.filter(({ file }) => file.includes('edge-')).map((one) => [one.file, one] as const))(
    '%s - holds',
    (_, one) => {
      expect(failures(one, 'fast')).toEqual([]);
    },
  );

  it('fail when they do not hold - each policy is judged by its own recordings only', () => {
    const swapped = oracle.filter(({ recording }) => recording.header.policy === 'dynamo-1.0').slice(0, 40);
    const other = oracle.find(({ recording }) => recording.header.policy === 'dynamo-1.6');
    expect(other).toBeDefined();
    const failing = swapped.filter(({ recording }) => {
      const header = { ...recording.header, policy: 'dynamo-1.6' };
      return playRecording({ ...recording, header }).failures.length > 0;
    });
    expect(failing.length).toBeGreaterThan(20);
  });
});

describe('our own recordings', () => {
  it.each(own.map((one) => [one.file, one] as const))('%s - holds', (_, one) => {
    expect(failures(one, 'model')).toEqual([]);
    expect(failures(one, 'fast')).toEqual([]);
  });

  it('are separate from those of the original: each names the rule that it shows', () => {
    for (const { recording } of own) expect(recording.header.description).toMatch(/policies\.md|dynamo-/);
  });
});
