import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monotonicScheduler } from '../../src/adapters/clock/monotonic-scheduler.js';
import { simulatedPools } from '../../src/cli/demo/demo-command.js';
import { paced } from '../../src/fleet/live-simulator/paced.js';
import { policies } from '../../src/core/policy/policies.js';
import { startService, type Service } from '../../src/service/start-service.js';
import { simulateFleet } from '../../src/simulator/simulate-fleet.js';
import { documents, readDocument } from '../support/documents/documents.js';
import { run } from '../support/processes.js';

const text = documents.map(readDocument).join('\n');
const ADDRESS = 'http://127.0.0.1:9420';
const calls = [...text.matchAll(/^\$ (curl .*)$/gm)].map(([, line = '']) => line);

let service: Service;
beforeAll(async () => {
  const policy = policies.default;
  const plan = {
    seed: 1,
    workers: 6,
    ranks: 2,
    model: 'llama',
    durationMs: 600_000,
    policy,
    startedAt: Date.now(),
  };
  const thresholds = { activeDecodeBlocksThreshold: 0.85 };
  const scheduler = monotonicScheduler;
  const pools = simulatedPools(paced(simulateFleet(plan), scheduler), { policy, thresholds, scheduler });
  service = await startService({ pools, port: 0 });
});
afterAll(() => service.stop());

describe('the curl commands of the documents', () => {
  it.each(calls)('%s', async (line) => {
    const command = line
      .replace(ADDRESS, service.url)
      .replace('curl ', 'curl --write-out "\\n%{http_code}" ');
    // A stream of events does not end; curl exits with 28 at its time limit.
    const out = await run('bash', ['-c', `${command}\ncode=$?; [ $code = 0 ] || [ $code = 28 ]`]);
    expect(out).toMatch(/\S[^]*\n200$/);
  });

  it('cover every route', async () => {
    const { routes } = (await (await fetch(service.url)).json()) as { routes: string[] };
    const called = calls.map((line) => {
      const [, path = ''] = /:9420(\/[^\s?]*)/.exec(line) ?? [];
      const [, method = line.includes(' -d ') ? 'POST' : 'GET'] = / -X (\w+)/.exec(line) ?? [];
      return `${method} ${path.replace(/\/\d+$/, '/:id')}`;
    });
    expect([...new Set(called)].sort()).toEqual([...routes].sort());
  });
});
