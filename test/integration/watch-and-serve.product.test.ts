import { connect } from 'nats';
import { expect, it } from 'vitest';
import { describeWith } from '../support/describe-with.js';
import { startEtcd, type EtcdServer } from '../support/etcd-server.js';
import { EventStream } from '../support/event-stream.js';
import { eventually } from '../support/eventually.js';
import { httpCall } from '../support/http-call.js';
import { startNats } from '../support/nats-server.js';
import type { RunningProcess } from '../support/processes.js';
import { jsonLines, startCli } from '../support/run-cli.js';
import { sourceStates } from '../support/served-sources.js';
import { RELEASES } from '../wire/captures.js';
import {
  capturedFleet,
  judgedInMemory,
  memberText,
  transitionsByWorker,
  type CapturedFleet,
} from './captured-fleet.js';

const thresholds = { activeDecodeBlocksThreshold: 0.0005, activePrefillTokensThreshold: 4 };
const thresholdArgs = [
  ...['--active-decode-blocks-threshold', '0.0005'],
  ...['--active-prefill-tokens-threshold', '4'],
];

/** Writes the keys of a captured fleet, each under its own lease. */
async function register({ gateway }: EtcdServer, { keys }: CapturedFleet): Promise<void> {
  const leases = new Set(keys.map(({ lease }) => lease).filter((lease) => lease !== '0'));
  for (const lease of leases) await gateway.grant(600, lease);
  for (const { key, value, lease } of keys) await gateway.put(key, value, lease);
}

/** What `tidemark watch --json` has printed so far. */
function watched({ out }: RunningProcess) {
  const objects = jsonLines(out.slice(0, out.lastIndexOf('\n') + 1));
  const of = (kind: string) => objects.filter((object) => object['kind'] === kind);
  const workers = new Set<unknown>();
  for (const { joined, left } of of('workers')) {
    for (const id of joined as string[]) workers.add(id);
    for (const id of left as string[]) workers.delete(id);
  }
  return {
    isLive: of('status').filter(({ state }) => state === 'live').length === 2,
    workers: [...workers].sort(),
    transitions: transitionsByWorker(of('transition')),
    summary: of('summary')[0],
  };
}

interface ServedWorker {
  readonly workerId: string;
  readonly busy: boolean;
  readonly model: string;
  readonly endpoint: string;
}

/** The members of all pools that `tidemark serve` lists. */
async function membersOf(url: string): Promise<string[]> {
  const { workers } = JSON.parse((await httpCall(`${url}/workers`)).body) as {
    workers: readonly ServedWorker[];
  };
  return workers
    .map(({ model, endpoint, workerId, busy }) => memberText(model, endpoint, workerId, busy))
    .sort();
}

describeWith(['nats-server', 'etcd'], 'tidemark watch and tidemark serve on one fleet', () => {
  it.each(RELEASES)('of release %s: same workers, same verdicts, same texts', async (release) => {
    const fleet = capturedFleet(release);
    const expected = await judgedInMemory(fleet, thresholds);
    await using nats = await startNats();
    await using etcd = await startEtcd();
    const args = ['--nats', nats.url, '--etcd', etcd.url, '--policy', 'default', ...thresholdArgs];
    await using watching = startCli(['watch', '--json', ...args]);
    await using serving = startCli(['serve', '--port', '0', ...args]);
    await eventually(() => serving.out.includes('serving'));
    const url = /on (http:\/\/\S+) \(/.exec(serving.out)?.[1] ?? '';
    await eventually(async () => {
      expect(watched(watching).isLive).toBe(true);
      expect(await sourceStates(url)).toEqual(['live', 'live']);
    });
    using events = await EventStream.open(`${url}/events`);
    await events.first('snapshot');

    await register(etcd, fleet);
    await eventually(async () => {
      expect(watched(watching).workers).toEqual(expected.workers);
      expect(await membersOf(url)).toHaveLength(expected.members.length);
    });
    const publisher = await connect({ servers: nats.url });
    for (const { subject, payload } of fleet.messages) publisher.publish(subject, payload);
    await publisher.drain();

    await eventually(async () => {
      expect(watched(watching).transitions).toEqual(expected.transitions);
      expect(transitionsByWorker(events.of('transition'))).toEqual(expected.transitions);
      expect(await membersOf(url)).toEqual(expected.members);
    });
    await watching.end('SIGTERM');
    const { loads, workers, busy } = watched(watching).summary ?? {};
    expect({ loads, workers }).toEqual({ loads: expected.loads, workers: expected.workers.length });
    expect((busy as string[]).toSorted()).toEqual(
      expected.members.flatMap((member) => /: (\d+) is busy$/.exec(member)?.[1] ?? []).sort(),
    );
    await serving.end('SIGTERM');
  });
});
