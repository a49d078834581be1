import { describe, expect, it } from 'vitest';
import { jsonLines, runCli } from '../../support/run-cli.js';
import { aggregatorCases, camelCase } from '../../wire/services/aggregator-cases.js';

const line = (...replies: string[]): string =>
  `${JSON.stringify({ replies_hex: replies.map((text) => Buffer.from(text).toString('hex')) })}\n`;
const stats = (input: string, ...args: string[]): ReturnType<typeof runCli> =>
  runCli(['stats', '--from', '-', '--service', 'dynamo_backend', ...args], { input });

const METRICS =
  '{"worker_stats":{"data_parallel_rank":null,"request_active_slots":1,"request_total_slots":8,"num_requests_waiting":0},' +
  '"kv_stats":{"kv_active_blocks":9007199254740993,"kv_total_blocks":100,"gpu_cache_usage_perc":0.1,"gpu_prefix_cache_hit_rate":1e300},' +
  '"spec_decode_stats":{"num_spec_tokens":4}}';
const reply = (subject: string, data = METRICS): string =>
  '{"name":"dynamo_backend","id":"i","version":"0.0.1","started":"t","endpoints":[{"name":"n","subject":' +
  `${JSON.stringify(subject)},"num_requests":0,"num_errors":0,"processing_time":0,"average_processing_time":0,` +
  `"last_error":"","data":${data},"queue_group":"q"}]}`;

describe('tidemark stats --from', () => {
  it('gives the recorded decisions of Dynamo, in order', async () => {
    for (const release of ['0.5.1', '0.6.0']) {
      const cases = aggregatorCases(release);
      const input = cases.map(({ replies_hex }) => `${JSON.stringify({ replies_hex })}\n`).join('');
      const { out, code } = await stats(input, '--compat', '--json');
      expect(code).toBe(0);
      // Counts above 2^53 lose the same digits in the captures and in the output.
      expect(
        jsonLines(out).map(({ loadAvg, loadStd, endpoints }) => ({
          loadAvg,
          loadStd,
          endpoints: (endpoints as Record<string, unknown>[]).map(
            ({ dataParallelRank, specDecodeStats, ...fields }) => {
              expect([dataParallelRank, specDecodeStats]).toEqual([null, null]);
              return fields;
            },
          ),
        })),
      ).toEqual(cases.map(({ result }) => camelCase(result)));
    }
  });

  it('counts keep all digits, floats look like floats, and numbers that JSON cannot express are null', async () => {
    const { out } = await stats(line(reply('dynamo_backend.load_metrics-ffffffffffffffff')));
    expect(out).toBe(
      '{"loadAvg":9.007199254740992e+15,"loadStd":0,"endpoints":[{"workerId":"18446744073709551615",' +
        '"dataParallelRank":null,"requestActiveSlots":1,"requestTotalSlots":8,"numRequestsWaiting":0,' +
        '"kvActiveBlocks":9007199254740993,"kvTotalBlocks":100,"gpuCacheUsagePerc":0.10000000149011612,' +
        '"gpuPrefixCacheHitRate":null,"specDecodeStats":{"numSpecTokens":4,"numDrafts":null,"numDraftTokens":null,' +
        '"numAcceptedTokens":null,"numAcceptedTokensPerPos":null}}]}\n',
    );
  });

  it('every line gives an output line, and problems name their line', async () => {
    const { out, err, code } = await stats(
      `${line(reply('dynamo_backend.load_metrics-10'), '{nope')}\n{"replies_hex":["0"]}\n[]\n{}\nnope\n${line()}`,
    );
    expect(jsonLines(out)).toMatchObject([
      { endpoints: [{ workerId: '16' }] },
      { error: { code: 'malformed', message: expect.stringContaining('hexadecimal') as string } },
      { error: { message: expect.stringContaining('replies_hex') as string } },
      { error: { message: expect.stringContaining('replies_hex') as string } },
      { error: { message: expect.stringContaining('JSON object') as string } },
      { loadAvg: null, loadStd: null, endpoints: [] },
    ]);
    expect(err).toBe(
      'line 1: ignored a reply that cannot be read: a key in double quotes is expected here\n',
    );
    expect(code).toBe(0);
  });

  it('the endpoint and the policy can be chosen', async () => {
    const replies = line(reply('dynamo_backend.load_metrics2-10'));
    expect(jsonLines((await stats(replies)).out)).toMatchObject([{ endpoints: [] }]);
    expect(jsonLines((await stats(replies, '--compat')).out)).toMatchObject([{ endpoints: [{}] }]);
    expect(jsonLines((await stats(replies, '--endpoint', 'load_metrics2')).out)).toMatchObject([
      { endpoints: [{}] },
    ]);
  });

  it.each([
    [['stats', '--compat'], '--from'],
    [['stats', '--component', 'backend'], '--namespace'],
    [['stats', '--namespace', 'dynamo'], '--component'],
    [['stats', '--service', 's', '--component', 'c'], '--service'],
    [['stats', '--from', '-'], '--service'],
    [['stats', '--from', '/nowhere', '--service', 's'], '/nowhere'],
  ])('%j: an error that says what is missing', async (args, what) => {
    const { code, err } = await runCli(args, { input: '' });
    expect(code).toBe(2);
    expect(err).toContain(what);
  });
});
