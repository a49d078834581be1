import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/simulator/simulated-worker.js';
import { startEtcd } from '../support/etcd-server.js';
import { eventually } from '../support/eventually.js';
import { startSimulate } from '../support/live-commands.js';
import { startNats } from '../support/nats-server.js';
import { dynamoPython } from './dynamo-python.js';
import { makeModelFolder } from './model-folder.js';
import { OurMonitor } from './our-monitor.js';
import { printSets } from './print-sets.js';
import { startRealFrontend } from './real-frontend.js';
import { startRealWorker } from './real-worker.js';
import { monitoring, type MonitoringRelease } from './releases.js';

const model = 'tiny-model';
const thresholds = { active_decode_blocks_threshold: 0.8 };
const PUBLICATIONS = 300;
const INSTALL_MS = 1_800_000;
const names = Object.keys(monitoring) as MonitoringRelease[];

let modelPath = '';
beforeAll(async () => {
  modelPath = await makeModelFolder(await mkdtemp(join(tmpdir(), 'tidemark-model-')));
});
afterAll(() => rm(modelPath, { recursive: true, force: true }));

describe.each(names)('Dynamo %s', { timeout: 300_000 }, (release) => {
  beforeAll(() => dynamoPython(release), INSTALL_MS);

  it('real workers: tidemark and the frontend agree on which workers are busy', async () => {
    await using nats = await startNats({ jetstream: true });
    await using etcd = await startEtcd();
    const servers = { nats, etcd };
    await using frontend = await startRealFrontend(release, servers);
    const plan = { release, modelPath, model };
    const one = { total_kv_blocks: 100, max_num_batched_tokens: 2048 };
    const two = { total_kv_blocks: 200, data_parallel_size: 2 };
    const four = { total_kv_blocks: 1000, data_parallel_start_rank: 4, data_parallel_size: 4 };
    await using first = await startRealWorker({ ...plan, config: one }, servers);
    await using second = await startRealWorker({ ...plan, config: two }, servers);
    await using third = await startRealWorker({ ...plan, config: four }, servers);
    const effective = await frontend.setThresholds(model, thresholds);
    using ours = new OurMonitor(release, servers, effective);
    await eventually(() => ours.live() && ours.instances === 3);

    const random = seededRandom(7);
    const published = new Map<string, number>();
    const ranks = [
      { worker: first, dpRanks: [0], total: 100 },
      { worker: second, dpRanks: [0, 1], total: 200 },
      { worker: third, dpRanks: [4, 5, 6, 7], total: 1000 },
    ].flatMap(({ worker, dpRanks, total }) => dpRanks.map((dpRank) => ({ worker, dpRank, total })));
    const signal = monitoring[release].generation === '1.0' ? 'active_decode_blocks' : 'kv_used_blocks';
    for (let n = 0; n < PUBLICATIONS; n += 1) {
      const { worker, dpRank, total } = ranks[Math.floor(random() * ranks.length)] ?? ranks[0]!;
      // Three of four values are above the threshold, because a worker of four ranks would hardly ever be busy otherwise. A
      // real worker does not publish the same value twice in a row.
      const blocks =
        Math.round(total * (random() < 0.75 ? 0.81 + 0.18 * random() : 0.8 * random())) + (n % 2);
      const rank = `${worker.id}/${dpRank}`;
      if (published.get(rank) === blocks) continue;
      published.set(rank, blocks);
      const [received, changes] = [ours.received, ours.busySets.length];
      worker.publish({ dp_rank: dpRank, [signal]: blocks });
      await eventually(() => ours.received > received);
      if (ours.busySets.length > changes)
        await eventually(() => expect(frontend.busySets().at(-1)).toEqual(ours.busySets.at(-1)));
    }
    printSets(`real workers of ${release}`, { tidemark: ours.busySets, frontend: frontend.busySets() });
    expect(frontend.busySets()).toEqual(ours.busySets);
    expect(ours.busySets.length).toBeGreaterThan(15);
    // Workers publish no prefill tokens, and 1.0 has thresholds for them by default.
    const isExpected = (problem: string): boolean => /^signal-missing: activePrefillTokens/.test(problem);
    expect(ours.problems.filter((problem) => !isExpected(problem))).toEqual([]);
  });

  it('simulated workers: the frontend, tidemark and the simulator agree on which workers are busy', async () => {
    await using nats = await startNats({ jetstream: true });
    await using etcd = await startEtcd();
    const servers = { nats, etcd };
    await using frontend = await startRealFrontend(release, servers);
    const { generation, policy } = monitoring[release];
    const simulating = startSimulate({
      ...{ nats: nats.url, etcd: etcd.url, namespace: 'dynamo', json: true },
      ...{ seed: 3, workers: 5, ranks: 2, duration: 600, ttl: 10, generation, policy, model, modelPath },
      activeDecodeBlocksThreshold: '0.8',
    });
    const effective = await frontend.setThresholds(model, thresholds);
    using ours = new OurMonitor(release, servers, effective);
    await eventually(() => ours.live() && ours.instances === 5);
    // A late subscriber knows every rank after each has published again. From then on all three agree.
    const before = ours.received;
    await eventually(() => ours.received > before + 5 * 2 * 3);
    await eventually(() => {
      expect(frontend.busySets().at(-1)).toEqual(ours.busySets.at(-1));
      expect(simulating.busySets().at(-1)).toEqual(ours.busySets.at(-1));
    });
    // Under 1.6, loads of workers that discovery does not know yet are dropped and reported.
    const problems = ours.problems.length;
    const from = [ours.busySets, frontend.busySets(), simulating.busySets()].map(({ length }) => length);
    const since = (): string[][][] =>
      [ours.busySets, frontend.busySets(), simulating.busySets()].map((sets, n) => sets.slice(from[n]));
    await eventually(() => {
      const [tidemark, frontendSets, simulator] = since();
      expect(tidemark?.length).toBeGreaterThan(15);
      expect(frontendSets).toEqual(tidemark);
      expect(simulator).toEqual(tidemark);
    }, 120_000);
    const [tidemark = [], frontendSets = [], simulator = []] = since();
    printSets(`simulated workers of ${generation}, frontend ${release}`, {
      tidemark,
      frontend: frontendSets,
      simulator,
    });
    expect(ours.problems.slice(problems)).toEqual([]);
    await simulating.end();
  });
});
