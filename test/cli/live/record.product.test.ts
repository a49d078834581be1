import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RecordingWriter } from '../../../src/cli/live/recording-writer.js';
import { playRecording } from '../../../src/testing/recordings/play-recording.js';
import { parseRecording } from '../../../src/wire/recording/parse-recording.js';
import type { Recording } from '../../../src/wire/recording/recording.js';
import { describeWith } from '../../support/describe-with.js';
import { startEtcd, type EtcdServer } from '../../support/etcd-server.js';
import { eventually } from '../../support/eventually.js';
import { startRecord, startSimulate, type GivenFlags } from '../../support/live-commands.js';
import { startNats, type NatsServer } from '../../support/nats-server.js';
import { runCli, startCli } from '../../support/run-cli.js';
import type { RunningCommand } from '../../support/run-command.js';

const folder = mkdtempSync(join(tmpdir(), 'tidemark-record-'));
const text = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/** The sequence numbers of the loads of each publisher in a recording. Checks that each load has a time. */
function publishedNumbers({ lines }: Recording): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const line of lines) {
    if (!('event' in line) || line.event.kind !== 'load') continue;
    const { publisherId, sequence, publishedAt } = line.event;
    expect(Math.abs(Date.now() - Number(publishedAt))).toBeLessThan(600_000);
    const previous = numbers.get(String(publisherId)) ?? [];
    numbers.set(String(publisherId), [...previous, Number(sequence)]);
  }
  return numbers;
}

describeWith(['nats-server', 'etcd'], 'tidemark record on real servers', () => {
  let nats: NatsServer;
  let etcd: EtcdServer;
  beforeAll(async () => {
    [nats, etcd] = await Promise.all([startNats(), startEtcd()]);
  });
  afterAll(() => Promise.all([nats.stop(), etcd.stop()]));

  const thresholds = { activeDecodeBlocksThreshold: '0.85', policy: 'default' };
  const fleet = (namespace: string): GivenFlags => ({
    ...{ nats: nats.url, etcd: etcd.url, namespace, ...thresholds, duration: 600 },
  });
  const simulate = (namespace: string): RunningCommand =>
    startSimulate({
      ...fleet(namespace),
      ...{ json: true, seed: 3, workers: 4, ranks: 2, ttl: 60, model: 'tiny' },
    });

  it('a replay gives the same transitions in the same order, for the same reasons', async () => {
    const file = join(folder, 'complete.jsonl');
    const recording = startRecord(file, { ...fleet('replayed'), endpoint: 'backend.generate' });
    await eventually(
      () =>
        /loads \(NATS\): live/.test(recording.err.join()) &&
        /discovery \(etcd\): live/.test(recording.err.join()),
    );
    const simulating = simulate('replayed');
    await eventually(() => simulating.of('transition').length > 5);
    const { busy } = await simulating.end();
    await eventually(() => text(file).match(/"present":false/g)?.length === 4);
    await recording.end();

    const played: Record<string, string[]> = {};
    const left: string[] = [];
    const { policy, failures } = playRecording(parseRecording(readFileSync(file)), {
      transition: ({ workerId, from, verdict }) => {
        if (verdict.reason === 'left') left.push(...(from === 'busy' ? [workerId] : []));
        else (played[workerId] ??= []).push(verdict.text);
      },
    });
    expect([policy, failures]).toEqual(['default', []]);
    expect(played).toEqual(simulating.transitions());
    expect(left.sort()).toEqual((busy as string[]).toSorted());
    const numbers = publishedNumbers(parseRecording(readFileSync(file)));
    expect(numbers.size).toBe(4);
    for (const sequence of numbers.values()) expect(sequence).toEqual(sequence.map((_, index) => index));
    expect((await runCli(['replay', file])).out).toMatch(
      /1 scenarios, \d+ events, \d+ transitions, 0 problems/,
    );
  });

  it('writes only complete lines if it is killed, to a file and through a pipe', async () => {
    const file = join(folder, 'killed.jsonl');
    const args = ['--nats', nats.url, '--etcd', etcd.url, '--namespace', 'killed'];
    const toFile = startCli(['record', ...args, file]);
    const toPipe = startCli(['record', ...args]);
    const simulating = simulate('killed');
    const loads = (recorded: string): boolean => (recorded.match(/"kind":"load"/g)?.length ?? 0) > 50;
    await eventually(() => loads(text(file)) && loads(toPipe.out));
    await Promise.all([toFile.end('SIGKILL'), toPipe.end('SIGKILL')]);
    for (const recorded of [text(file), toPipe.out]) {
      expect(recorded.at(-1)).toBe('\n');
      expect(parseRecording(new TextEncoder().encode(recorded)).lines.length).toBeGreaterThan(50);
    }
    await simulating.end();
  });
});

describe('RecordingWriter', () => {
  it('holds lines until a flush, but not more than one chunk of them', () => {
    const file = join(folder, 'pieces.jsonl');
    const writer = RecordingWriter.to(file);
    writer.add('{"a":1}');
    expect(text(file)).toBe('');
    writer.flush();
    expect(text(file)).toBe('{"a":1}\n');
    const line = `"${'é'.repeat(1000)}"`;
    for (let n = 0; n < 3; n += 1) writer.add(line);
    expect(text(file)).toBe(`{"a":1}\n${line}\n${line}\n`);
    writer.add(`"${'x'.repeat(10_000)}"`);
    writer.close();
    expect(
      text(file)
        .split('\n')
        .map((line) => line.length),
    ).toEqual([7, 1002, 1002, 1002, 10_002, 0]);
  });

  it('an existing file, or a missing folder: an error, and the file is unchanged', async () => {
    const file = join(folder, 'there.jsonl');
    const writer = RecordingWriter.to(file);
    writer.add('{}');
    writer.close();
    expect(() => RecordingWriter.to(file)).toThrow('the file already exists; choose another name');
    expect(() => RecordingWriter.to(join(folder, 'none', 'x'))).toThrow(/^Cannot record to .*: ENOENT/);
    expect(text(file)).toBe('{}\n');
    expect(await runCli(['record', file])).toMatchObject({ code: 2, out: '' });
  });
});
