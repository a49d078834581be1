import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'nats';
import { asapScheduler } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LoadReceiver } from '../../src/dynamo/loads/load-receiver.js';
import type { LoadReceived } from '../../src/core/events/fleet-event.js';
import { policies } from '../../src/core/policy/policies.js';
import type { LoadAccount, SequenceGap } from '../../src/wire/loads/load-account.js';
import { startEtcd } from '../support/etcd-server.js';
import { eventually } from '../support/eventually.js';
import { startNats } from '../support/nats-server.js';
import { dynamoPython } from './dynamo-python.js';
import { makeModelFolder } from './model-folder.js';
import { startRealWorker } from './real-worker.js';
import { monitoring, type MonitoringRelease } from './releases.js';

const model = 'tiny-model';
const INSTALL_MS = 1_800_000;
const names = Object.keys(monitoring) as MonitoringRelease[];

let modelPath = '';
beforeAll(async () => {
  modelPath = await makeModelFolder(await mkdtemp(join(tmpdir(), 'tidemark-model-')));
});
afterAll(() => rm(modelPath, { recursive: true, force: true }));

/** Which publisher of the process publishes the loads of which rank. */
const layouts = {
  /** As the workers of SGLang and TensorRT-LLM. */
  'one publisher for two ranks': [
    [0, 0],
    [0, 1],
  ],
  /** As the workers of vLLM. */
  'a publisher for each of two ranks': [
    [0, 0],
    [1, 1],
  ],
  'two publishers for one rank': [
    [0, 0],
    [1, 0],
  ],
} as const satisfies Record<string, readonly (readonly [publisher: number, dpRank: number])[]>;

interface Outcome {
  readonly account: LoadAccount;
  readonly gaps: readonly SequenceGap[];
  readonly problems: readonly string[];
  readonly received: readonly string[];
  /** The number of the message that was dropped. */
  readonly dropped: string;
}

/** Publishes from a real worker of two ranks, without a loss or with one, and accounts for what was received. */
async function accountFor(
  release: MonitoringRelease,
  senders: readonly (readonly [publisher: number, dpRank: number])[],
  drop: boolean,
): Promise<Outcome> {
  await using nats = await startNats({ jetstream: true });
  await using etcd = await startEtcd();
  const plan = { release, modelPath, model, publishers: 2 };
  const config = { total_kv_blocks: 1000, data_parallel_size: 2 };
  await using worker = await startRealWorker({ ...plan, config }, { nats, etcd });
  const connection = await connect({ servers: nats.url });
  const receiver = new LoadReceiver('objects', policies.default, asapScheduler, asapScheduler);
  const received: LoadReceived[] = [];
  receiver.loads$.subscribe((load) => received.push(load as LoadReceived));
  let messages = 0;
  let isListening = false;
  let dropNext = false;
  let dropped = '';
  connection.subscribe('namespace.>', {
    callback: (_, message) => {
      messages += 1;
      if (!isListening) return;
      if (!dropNext) return receiver.take(message);
      dropNext = false;
      dropped = textOf(decodeOne(message.data));
    },
  });
  await connection.flush();
  const signal = monitoring[release].generation === '1.0' ? 'active_decode_blocks' : 'kv_used_blocks';
  let blocks = 0;
  const publish = async (sender: 0 | 1, count: number): Promise<void> => {
    const [publisher, dpRank] = senders[sender] ?? [0, 0];
    for (let n = 0; n < count; n += 1) {
      const before = messages;
      worker.publish({ publisher, dp_rank: dpRank, [signal]: (blocks += 1) });
      await eventually(() => messages > before);
    }
  };
  // The listener joins in the middle, when the publishers have sent different numbers of messages.
  await publish(0, 30);
  await publish(1, 3);
  isListening = true;
  for (let round = 0; round < 4; round += 1) {
    await publish(0, 10);
    await publish(1, 1);
  }
  dropNext = drop;
  await publish(0, 1);
  for (let round = 0; round < 3; round += 1) {
    await publish(1, 2);
    await publish(0, 5);
  }
  await connection.close();
  const { accounting } = receiver;
  return {
    account: accounting.snapshot(),
    gaps: accounting.takeGaps(),
    problems: receiver.takeProblems().map(({ code, text }) => `${code}: ${text}`),
    received: received.map(textOf),
    dropped,
  };
}

function decodeOne(data: Uint8Array): LoadReceived {
  const receiver = new LoadReceiver('objects', policies.default, asapScheduler, asapScheduler);
  let decoded: LoadReceived | undefined;
  receiver.loads$.subscribe((load) => (decoded = load as LoadReceived));
  receiver.take({ subject: '', data });
  if (decoded === undefined) throw new Error('the message is not a load');
  return decoded;
}

function textOf({ publisherId, workerId, dpRank, sequence }: LoadReceived): string {
  return `${publisherId === workerId ? 'process' : 'random'}/rank ${dpRank}#${sequence}`;
}

function print(title: string, { account, gaps, problems, received, dropped }: Outcome): void {
  const { sequences, publishers } = account;
  const lines = [
    title,
    `  ${received.join(' ')}`,
    `  dropped ${dropped === '' ? 'nothing' : dropped}: ${publishers.known} publishers, ${JSON.stringify(sequences)}`,
    ...gaps.map(({ publisherId, from, to }) => `  gap of ${publisherId}: ${from} to ${to}`),
    ...problems.map((problem) => `  ${problem}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

describe.each(names)('Dynamo %s', { timeout: 300_000 }, (release) => {
  beforeAll(() => dynamoPython(release), INSTALL_MS);
  // Before 1.3, all publishers of a process have its id.
  const sharesIds = monitoring[release].generation === '1.0';

  for (const [layout, senders] of Object.entries(layouts)) {
    const isAccountable = !(sharesIds && layout === 'two publishers for one rank');

    it(`${layout}: nothing is missing when nothing was lost`, async () => {
      const outcome = await accountFor(release, senders, false);
      print(`${release}, ${layout}`, outcome);
      expect(outcome.account.sequences).toMatchObject({ missing: 0, gaps: 0 });
      expect(outcome.gaps).toEqual([]);
      expect(outcome.account.publishers.notAccountable).toBe(isAccountable ? 0 : 1);
      expect(outcome.problems).toHaveLength(isAccountable ? 0 : 1);
    });

    it(`${layout}: a lost message is ${isAccountable ? 'found' : 'not judged'}`, async () => {
      const outcome = await accountFor(release, senders, true);
      print(`${release}, ${layout}`, outcome);
      expect(outcome.account.sequences.missing).toBe(isAccountable ? 1 : 0);
      expect(outcome.gaps.map(({ from, to }) => [from, to])).toEqual(
        isAccountable ? [[numberOf(outcome.dropped), numberOf(outcome.dropped)]] : [],
      );
    });
  }
});

function numberOf(text: string): number {
  return Number(text.split('#')[1]);
}
