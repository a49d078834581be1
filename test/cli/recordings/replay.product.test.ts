import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../support/root.js';
import { jsonLines, runCli } from '../../support/run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'tidemark-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const header = '{"tidemark":"recording","version":1,"policy":"dynamo-1.0"}\n';
const start =
  '{"at":0,"event":{"kind":"start","name":"one","thresholds":{"activePrefillTokensThreshold":10},"decodeInstances":["1"]}}\n';
const load = '{"at":1,"event":{"kind":"load","workerId":"1","dpRank":0,"activePrefillTokens":11}}\n';
const good = file('good.jsonl', `${header}${start}${load}{"at":1,"expect":{"busy":["1"]}}\n`);
const wrong = file('wrong.jsonl', `${header}${start}${load}{"at":1,"expect":{"busy":["2"],"cleanup":[]}}\n`);

describe('tidemark replay', () => {
  it('all recorded decisions of Dynamo hold', async () => {
    const files = ['dynamo-1.0', 'dynamo-1.6', 'frontend'].flatMap((name) =>
      readdirSync(join(root, 'test/fixtures/oracle', name)).map((file) =>
        join('test/fixtures/oracle', name, file),
      ),
    );
    const { code, out } = await runCli(['replay', '--check', ...files]);
    expect(out).toContain('15174 of 15174 expectations hold');
    expect(code).toBe(0);
  });

  it('--json prints one object for each file, with integers of any size', async () => {
    const { code, out } = await runCli(['replay', '--json', good, wrong]);
    expect(jsonLines(out)).toMatchObject([
      {
        file: good,
        policy: 'dynamo-1.0',
        scenarios: 1,
        events: 1,
        expectations: 1,
        failed: 0,
        transitions: 1,
      },
      { file: wrong, failed: 1 },
    ]);
    expect(code).toBe(0);
  });

  it('--check prints file, line, scenario, expected and actual values, and exits with code 1', async () => {
    const { code, out } = await runCli(['replay', '--check', good, wrong]);
    expect(out).toContain(`${wrong}:4: one: busy is not as expected\n  expected ["2"]\n  actual   ["1"]`);
    expect(out).not.toContain('cleanup is not');
    expect(code).toBe(1);
  });

  it('--check --json prints the same as data', async () => {
    const { code, out } = await runCli(['replay', '--check', '--json', wrong]);
    expect(jsonLines(out)[0]).toMatchObject({
      failures: [{ line: 4, scenario: 'one', key: 'busy', expected: ['2'], actual: ['1'] }],
    });
    expect(code).toBe(1);
  });

  it('--policy replaces the policy of the recording, even an unknown one', async () => {
    const alien = file('alien.jsonl', header.replace('dynamo-1.0', 'ours') + start + load);
    const { code, out } = await runCli(['replay', '--json', '--policy', 'dynamo-1.6', alien]);
    expect(jsonLines(out)).toMatchObject([{ policy: 'dynamo-1.6', transitions: 1 }]);
    expect(code).toBe(0);
    expect(await runCli(['replay', alien])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no policy "ours".*choose one of.*--policy/) as string,
    });
  });

  it('unpacks .gz files, and names a damaged one', async () => {
    expect(
      (await runCli(['replay', '--check', file('good.jsonl.gz', gzipSync(header + start + load))])).code,
    ).toBe(0);
    const { code, err } = await runCli([
      'replay',
      file('cut.jsonl.gz', gzipSync(header + start).subarray(0, 30)),
    ]);
    expect([code, err]).toEqual([2, expect.stringContaining('cut.jsonl.gz is not a complete gzip file')]);
  });

  const malformed: [string, string, RegExp][] = [
    ['no header', load, /:1: this is not a recording/],
    ['empty', '', /:1: the header is missing/],
    ['another version', header.replace('1,', '2,'), /:1: version 2 is not supported/],
    ['no JSON', `${header}{"at":1\n`, /:2: .*document ends/],
    ['unknown kind', `${header}{"at":1,"event":{"kind":"nap"}}`, /:2: "nap" is not a known kind of event/],
    [
      'unknown expectation',
      `${header}{"at":1,"expect":{"bussy":[]}}`,
      /:2: "bussy" is not a known expectation/,
    ],
    ['both', `${header}{"at":1,"event":{"kind":"stop"},"expect":{}}`, /:2: .*exactly one/],
    [
      'time runs back',
      `${header}{"at":2,"event":{"kind":"stop"}}\n{"at":1,"event":{"kind":"stop"}}`,
      /:3: at is 1/,
    ],
    [
      'a bad id',
      `${header}{"at":1,"event":{"kind":"marked","workerId":"-1"}}`,
      /:2: workerId: "-1" is not a valid worker id/,
    ],
    [
      'a bad rank',
      `${header}{"at":1,"event":{"kind":"load","workerId":"1","dpRank":4294967296}}`,
      /:2: dpRank must be at most/,
    ],
    [
      'bad hex',
      `${header}{"at":1,"event":{"kind":"message","payloadHex":"0"}}`,
      /:2: payloadHex is not valid hexadecimal/,
    ],
  ];
  it.each(malformed)(
    'malformed recording: %s: one sentence with file and line, exit code 2, nothing played',
    async (name, text, reason) => {
      const bad = file(`${name.replaceAll(' ', '-')}.jsonl`, text);
      const { code, out, err } = await runCli(['replay', good, bad]);
      expect(err).toMatch(reason);
      expect(err).toContain(bad);
      expect(err.trim().split('\n')).toHaveLength(1);
      expect([code, out]).toEqual([2, '']);
    },
  );

  it('names unreadable files and suggests what to do', async () => {
    const missing = join(folder, 'missing.jsonl');
    expect(await runCli(['replay', missing])).toMatchObject({
      code: 2,
      out: '',
      err: `tidemark: Cannot read ${missing}: the file does not exist; check the path.\n`,
    });
    expect(await runCli(['replay', folder])).toMatchObject({
      code: 2,
      err: expect.stringContaining('it is a folder') as string,
    });
  });

  it('unknown policy, no file, unknown option or command: exit code 2 and a hint', async () => {
    expect(await runCli(['replay', '--policy', 'dynamo-2', good])).toMatchObject({
      code: 2,
      err: expect.stringContaining('dynamo-1.6, default') as string,
    });
    expect((await runCli(['replay'])).code).toBe(2);
    expect(await runCli(['replay', '--chek', good])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--check') as string,
    });
    expect(await runCli(['repaly'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('replay') as string,
    });
  });
});
