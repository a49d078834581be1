import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventually } from './eventually.js';

describe('eventually', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('returns what the check returns as soon as it does not throw', async () => {
    let asked = 0;
    const value = await eventually(() => {
      asked += 1;
      expect(asked).toBe(3);
      return 'done';
    });
    expect([value, asked]).toEqual(['done', 3]);
  });

  it('waits for a condition that is a promise', async () => {
    let asked = 0;
    await eventually(() => Promise.resolve((asked += 1) > 2));
    expect(asked).toBe(3);
  });

  it('reports the last failure in the end', async () => {
    const missing = eventually(() => expect(['a']).toContain('b'), 5);
    await expect(missing).rejects.toThrow(/^not within 5 ms: .*toContain\("b"\)[^]*include 'b'/);
    await expect(eventually(() => false, 5)).rejects.toThrow('the check returned false');
  });

  it('does not wait for a check that hangs', async () => {
    const hanging = eventually(() => new Promise(() => undefined), 5);
    await expect(hanging).rejects.toThrow('the check itself did not come to an end');
  });

  it('uses the real clock while a test has a fake one', async () => {
    vi.useFakeTimers();
    await expect(eventually(() => false, 5)).rejects.toThrow('not within 5 ms');
  });
});
