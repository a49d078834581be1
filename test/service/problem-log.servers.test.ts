import { expect, it } from 'vitest';
import { ServedFleet } from '../support/served-fleet.js';

it('the log has a line for a problem of a pool that is reported once, and none for those of every load', async () => {
  const lines: Record<string, unknown>[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  await using fleet = await ServedFleet.start({ logger: { level: 'info', stream } });
  await fleet.worker('7');
  const reported: string[] = [];
  fleet.pools.list()[0]?.monitor.problems$.subscribe(({ code }) => reported.push(code));
  await fetch(`${fleet.url}/thresholds`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ active_decode_blocks_threshold: 0.5 }),
  });
  for (let n = 0; n < 12; n += 1) {
    fleet.load('7', null, 0, 5);
    fleet.load('7', null, 2 ** 32 - 1, 5);
  }
  const problems = lines.filter(({ code }) => code !== undefined);
  expect(problems).toMatchObject([
    {
      code: 'signal-missing',
      model: 'tiny-model',
      role: 'decode',
      endpoint: 'dynamo.backend.generate',
      count: 1,
    },
  ]);
  expect(problems[0]?.['msg']).toContain('activeDecodeBlocksThreshold has no effect');
  // The monitor reported the others as well.
  expect(new Set(reported)).toEqual(new Set(['undeclared-rank', 'signal-missing']));
});
