import { afterEach, expect, it, vi } from 'vitest';
import { serveStats } from '../../../src/adapters/nats/serve-stats.js';
import { decodeServiceStats } from '../../../src/wire/services/service-stats.js';
import { FakeNatsLink } from './fake-nats-link.js';

afterEach(() => void vi.restoreAllMocks());

it('the start of a served service is right after the wall clock was set', () => {
  const wallClock = Date.now;
  let stepMs = 0;
  vi.spyOn(Date, 'now').mockImplementation(() => wallClock() + stepMs);
  const link = new FakeNatsLink();
  const served = serveStats({ connection: link }, 'dynamo_backend', []).subscribe();
  try {
    for (stepMs of [0, 3_600_000, -3_600_000]) {
      const request = { subject: '$SRV.STATS', reply: 'inbox', data: new Uint8Array(0) };
      for (const callback of link.subscriptions.get('$SRV.STATS') ?? []) callback(null, request);
      const reply = decodeServiceStats(link.published.at(-1)?.data ?? new Uint8Array(0));
      expect(reply).toHaveProperty('started');
      const started = Date.parse('started' in reply ? reply.started : '');
      expect(Math.abs(Date.now() - started)).toBeLessThan(60_000);
    }
  } finally {
    served.unsubscribe();
  }
});
