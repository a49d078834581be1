import { NEVER, Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { loadMonitor } from '../../src/core/pipeline/load-monitor.js';
import { policies } from '../../src/core/policy/policies.js';
import type { SourceStatus } from '../../src/core/sources/source-status.js';
import { givenPool } from '../../src/service/given-pool.js';
import { startService } from '../../src/service/start-service.js';

const endpoint = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };

it('the log of the service has a line for a new state or reason, and not for each attempt', async () => {
  const lines: Record<string, unknown>[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const status$ = new Subject<SourceStatus>();
  const monitor = loadMonitor({ events: NEVER, status: [status$] }, { policy: policies.default });
  monitor.connect();
  const pools = givenPool({ name: { model: 'm', endpoint }, monitor, setThresholds: () => undefined }, 1);
  const service = await startService({ pools, port: 0, logger: { level: 'info', stream } });
  const logged = (): unknown[] =>
    lines
      .splice(0)
      .filter(({ msg }) => msg === 'source')
      .map(({ state, why, attempts }) => [state, why, attempts]);
  const down = (why: string, times = 1): void => {
    for (let n = 0; n < times; n += 1)
      status$.next({ source: 'loads', state: 'down', since: 0, why, retryInMs: n });
  };
  try {
    status$.next({ source: 'loads', state: 'connecting', since: 0 });
    down('refused', 50);
    down('silent');
    status$.next({ source: 'loads', state: 'live', since: 0 });
    expect(logged()).toEqual([
      ['down', 'refused', 1],
      ['down', 'silent', 51],
      ['live', undefined, 0],
    ]);
    for (let n = 0; n < 50; n += 1) down(`reason ${n % 2}`);
    // Three of the five changes without a rest were reported above.
    expect(logged()).toHaveLength(2);
  } finally {
    await service.stop();
    monitor.stop();
  }
});
