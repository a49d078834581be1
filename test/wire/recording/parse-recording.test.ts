import { describe, expect, it } from 'vitest';
import { parseRecording, RecordingError } from '../../../src/wire/recording/parse-recording.js';
import type { RecordingLine } from '../../../src/wire/recording/recording.js';

const header = '{"tidemark":"recording","version":1,"policy":"default","description":"d","other":[1]}\n';
const lines = (...texts: string[]): readonly RecordingLine[] =>
  parseRecording(new TextEncoder().encode(header + texts.join('\n'))).lines;
const event = (text: string): unknown => {
  const [line] = lines(`{"at":0,"event":${text}}`);
  return line && 'event' in line ? line.event : undefined;
};

describe('parse recording', () => {
  it('integers above 2^53 − 1 - keep every digit, quoted or not', () => {
    const load = (value: string): unknown =>
      event(`{"kind":"load","workerId":${value},"dpRank":0,"activeDecodeBlocks":${value}}`);
    const expected = { workerId: '9007199254740993', activeDecodeBlocks: 9007199254740993n };
    expect(load('9007199254740993')).toMatchObject(expected);
    expect(load('"9007199254740993"')).toMatchObject(expected);
    expect(load('18446744073709551615')).toMatchObject({ activeDecodeBlocks: 18446744073709551615n });
    expect(load('7')).toMatchObject({ workerId: '7', activeDecodeBlocks: 7 });
  });

  it('missing and null - are the same; unknown fields are passed over', () => {
    const bare = event('{"kind":"load","workerId":"1","dpRank":0}');
    expect(event('{"kind":"load","workerId":"1","dpRank":0,"activePrefillTokens":null,"x":[{}]}')).toEqual(
      bare,
    );
    expect(bare).toEqual({
      kind: 'load',
      workerId: '1',
      dpRank: 0,
      activeDecodeBlocks: null,
      activePrefillTokens: null,
      kvUsedBlocks: null,
    });
  });

  it('the header of a load message is part of the load', () => {
    const said = '"topic":"t","source":"s","publisherId":"5","sequence":3,"publishedAt":1754000000123';
    expect(event(`{"kind":"load","workerId":"1","dpRank":0,${said}}`)).toMatchObject({
      topic: 't',
      source: 's',
      publisherId: '5',
      sequence: 3,
      publishedAt: 1754000000123,
    });
  });

  it('fractions - also the three that JSON has no number for', () => {
    const mark = (text: string): unknown =>
      event(`{"kind":"thresholds","activeDecodeBlocksThreshold":${text}}`);
    expect(mark('"NaN"')).toMatchObject({ activeDecodeBlocksThreshold: NaN });
    expect(mark('"-Infinity"')).toMatchObject({ activeDecodeBlocksThreshold: -Infinity });
    expect(mark('5e-05')).toMatchObject({ activeDecodeBlocksThreshold: 0.00005 });
    expect(mark('null')).toMatchObject({ activeDecodeBlocksThreshold: null });
  });

  it('the target of thresholds - everything, a role or a worker', () => {
    const target = (text: string): unknown => event(`{"kind":"thresholds","target":${text}}`);
    expect(event('{"kind":"thresholds"}')).toEqual({ kind: 'thresholds' });
    expect(target('"everything"')).toEqual({ kind: 'thresholds', target: 'everything' });
    expect(target('{"role":"prefill"}')).toEqual({ kind: 'thresholds', target: { role: 'prefill' } });
    for (const id of ['18446744073709551615', '"18446744073709551615"'])
      expect(target(`{"workerId":${id}}`)).toEqual({
        kind: 'thresholds',
        target: { workerId: '18446744073709551615' },
      });
    expect(() => target('{"workerId":-1}')).toThrow(RecordingError);
    expect(() => target('{}')).toThrow(RecordingError);
  });

  it('start - with and without its options', () => {
    expect(event('{"kind":"start"}')).toMatchObject({ kind: 'start' });
    expect(
      event(
        '{"kind":"start","thresholds":{"activePrefillTokensThreshold":"18446744073709551615"},"decodeInstances":["1"],"prefillInstances":[],"loads":false,"cards":true,"source":"prefill","name":"n","about":"a"}',
      ),
    ).toMatchObject({
      thresholds: { activePrefillTokensThreshold: 18446744073709551615n },
      decodeInstances: ['1'],
      prefillInstances: [],
      loads: false,
      configs: true,
      role: 'prefill',
      name: 'n',
    });
  });

  it('every kind of event - is read', () => {
    const kinds = [
      '{"kind":"configs","workers":{"7":{"totalKvBlocks":1,"maxNumBatchedTokens":2,"dataParallelStartRank":3,"dataParallelSize":4}}}',
      '{"kind":"config","workerId":"7","config":null}',
      '{"kind":"config","workerId":"7","config":{}}',
      '{"kind":"instance","workerId":"7","present":true,"role":"prefill"}',
      '{"kind":"decodeInstances","workerIds":["7",8]}',
      '{"kind":"prefillAttached","workerIds":[]}',
      '{"kind":"prefillInstances","workerIds":[],"watch":1}',
      '{"kind":"prefillClosed","watch":0}',
      '{"kind":"schedulerLoads","loads":[{"workerId":"7","dpRank":0,"activeDecodeBlocks":2,"activePrefillTokens":3}]}',
      '{"kind":"marked","workerId":"7"}',
      '{"kind":"markExpired","workerId":"7"}',
      '{"kind":"reportedDown","workerId":"7"}',
      '{"kind":"loadError"}',
      '{"kind":"configError","text":"x"}',
      '{"kind":"instancesError"}',
      '{"kind":"problem","problem":{"code":"undecodable","source":"configs","text":"x","workerId":"7","count":2}}',
      '{"kind":"loadStreamEnded"}',
      '{"kind":"configsEnded"}',
      '{"kind":"instancesEnded"}',
      '{"kind":"stop"}',
      '{"kind":"message","payloadHex":"00ff"}',
    ];
    for (const text of kinds) {
      expect(event(text), text).toMatchObject({ kind: (JSON.parse(text) as { kind: string }).kind });
    }
    expect(event(kinds[0] ?? '')).toMatchObject({
      workers: new Map([
        ['7', { totalKvBlocks: 1, maxNumBatchedTokens: 2, dataParallelStartRank: 3, dataParallelSize: 4 }],
      ]),
    });
  });

  it('empty lines and CRLF - are fine, and lines keep their numbers', () => {
    const [line] = lines('\r', '{"at":1.5,"event":{"kind":"stop"}}\r');
    expect(line).toMatchObject({ line: 3, at: 1.5 });
  });

  const bad: [string, string][] = [
    ['a load without a worker', '{"at":0,"event":{"kind":"load","dpRank":0}}'],
    ['a float as count', '{"at":0,"event":{"kind":"load","workerId":"1","activeDecodeBlocks":1.0}}'],
    [
      'a scheduler load without tokens',
      '{"at":0,"event":{"kind":"schedulerLoads","loads":[{"workerId":"1","activeDecodeBlocks":1}]}}',
    ],
    ['a worker twice in configs', '{"at":0,"event":{"kind":"configs","workers":{"1":{},"1":{}}}}'],
    ['a duplicate field', '{"at":0,"at":0,"event":{"kind":"stop"}}'],
    ['a role that is none', '{"at":0,"event":{"kind":"instance","workerId":"1","present":true,"role":"x"}}'],
    ['a text as truth value', '{"at":0,"event":{"kind":"instance","workerId":"1","present":"true"}}'],
    [
      'a fraction that is a word',
      '{"at":0,"event":{"kind":"thresholds","activeDecodeBlocksThreshold":"much"}}',
    ],
    ['a time that is not a number', '{"at":"0","event":{"kind":"stop"}}'],
    ['time before the beginning', '{"at":-1,"event":{"kind":"stop"}}'],
    [
      'a cleanup of another type',
      '{"at":0,"expect":{"cleanup":[{"workerId":"1","dpRanks":[0],"workerType":"x"}]}}',
    ],
    ['an expectation twice', '{"at":0,"expect":{"busy":[],"busy":[]}}'],
    ['no object', '[]'],
  ];
  it.each(bad)('%s - is refused with its line', (_, text) => {
    expect(() => lines('{"at":0,"event":{"kind":"loadError"}}', text)).toThrow(RecordingError);
    expect(() => lines('{"at":0,"event":{"kind":"loadError"}}', text)).toThrow(/^line 3: .*\(column \d+\)$/);
  });
});
