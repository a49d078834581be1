import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetState } from '../../src/core/judgement/fleet-state.js';
import type { WorkerRole } from '../../src/core/sources/worker-info.js';
import { startEtcd } from '../support/etcd-server.js';
import { eventually } from '../support/eventually.js';
import { startNats } from '../support/nats-server.js';
import { dynamoPython } from './dynamo-python.js';
import { type FrontendAnswers, askFrontend } from './frontend-answers.js';
import { makeModelFolder } from './model-folder.js';
import { OurFleet } from './our-fleet.js';
import { printTable } from './print-table.js';
import { type RealFrontend, startRealFrontend } from './real-frontend.js';
import type { RealWorker, RealWorkerPlan } from './real-worker.js';
import { RoleWorkers } from './role-workers.js';

const model = 'tiny-model';
const release = '1.6.1';
const INSTALL_MS = 1_800_000;
/** How many blocks a worker has, and how many are in use. */
const config = { total_kv_blocks: 100 };
const [FULL, LOW] = [95, 5];

let modelPath = '';
beforeAll(async () => {
  modelPath = await makeModelFolder(await mkdtemp(join(tmpdir(), 'tidemark-model-')));
  await dynamoPython(release);
}, INSTALL_MS);
afterAll(() => rm(modelPath, { recursive: true, force: true }));

describe(`a disaggregated fleet of Dynamo ${release}`, { timeout: 600_000 }, () => {
  it('tidemark and the frontend agree on load and readiness in every phase', async () => {
    await using nats = await startNats({ jetstream: true });
    await using etcd = await startEtcd();
    const servers = { nats, etcd };
    await using frontend = await startRealFrontend(release, servers);
    using ours = new OurFleet(servers, { activeDecodeBlocksThreshold: 0.8 });
    await using workers = new RoleWorkers({ release, model, modelPath, config }, servers);
    await eventually(() => ours.live());
    const rows: Record<string, string>[] = [];
    /** Waits until tidemark is in this state and the frontend agrees. The workers use this many blocks from now on. */
    const phase = async (
      name: string,
      expected: State,
      ...loads: readonly (readonly [RealWorker, number])[]
    ): Promise<FrontendAnswers> => {
      let attempts = 0;
      const [seen, row] = await eventually(() => {
        // The frontend may be ready before its monitor listens, and a worker does not publish the same value twice in a row.
        attempts += 1;
        for (const [worker, blocks] of loads)
          worker.publish({ dp_rank: 0, kv_used_blocks: blocks + (attempts % 2) });
        return compare(ours, frontend, workers, expected);
      });
      rows.push({ phase: name, ...row });
      return seen;
    };
    const setThreshold = () => frontend.setThresholds(model, { active_decode_blocks_threshold: 0.8 });

    const nothing: State = { decode: undefined, prefill: undefined, model: 'none', missing: undefined };
    await phase('no workers', nothing);
    const firstPrefill = await workers.join('prefill');
    await phase('a prefill worker joins', { ...nothing, prefill: 'unknown', missing: ['decode'] });
    const [first, second] = [await workers.join('decode'), await workers.join('decode')];
    await setThreshold();
    const silent: State = { decode: 'unknown', prefill: 'unknown', model: 'unknown', missing: [] };
    await phase('two decode workers join', silent);
    await phase('decode is heard', { ...silent, decode: 'free' }, [first, LOW], [second, LOW]);
    const free: State = { decode: 'free', prefill: 'free', model: 'free', missing: [] };
    await phase('prefill is heard', free, [firstPrefill, LOW]);

    const partial: State = { ...free, decode: 'partial', model: 'partial' };
    const full: State = { ...free, decode: 'all-busy', model: 'all-busy' };
    await phase('one decode worker fills', partial, [first, FULL]);
    await phase('both decode workers are full', full, [second, FULL]);
    await phase('one decode worker drains', partial, [first, LOW]);
    await phase('the other drains', free, [second, LOW]);

    const prefillFull: State = { ...free, prefill: 'all-busy', model: 'all-busy' };
    await phase('prefill fills', prefillFull, [firstPrefill, FULL]);
    await workers.leave(firstPrefill);
    await phase('prefill leaves', { ...free, prefill: undefined, missing: ['prefill'] });
    const secondPrefill = await workers.join('prefill');
    const unheard: State = { ...free, prefill: 'unknown', model: 'unknown' };
    const { threshold } = await phase('another prefill worker joins', unheard);
    expect(threshold, 'decode workers were there all the time').toBe(0.8);
    await phase('it fills', prefillFull, [secondPrefill, FULL]);
    await phase('it drains', free, [secondPrefill, LOW]);

    await workers.leave(first);
    await phase('one decode worker leaves', free);
    await workers.leave(second);
    await phase('the other leaves', { ...free, decode: undefined, model: 'none', missing: ['decode'] });
    const third = await workers.join('decode');
    const returned = await phase('decode returns', { ...free, decode: 'unknown', model: 'unknown' });
    expect(returned.threshold, 'a frontend loses thresholds with the last decode worker').toBeNull();
    await phase('it fills: only tidemark has a threshold', full, [third, FULL]);
    await setThreshold();
    await phase('the frontend has it again', full, [third, FULL]);

    printTable(`tidemark, policy default                     frontend ${release}`, rows);
    expect(ours.problems).toEqual([]);
  });

  it('tidemark and the frontend agree on what makes a namespace ready', async () => {
    await using nats = await startNats({ jetstream: true });
    await using etcd = await startEtcd();
    const servers = { nats, etcd };
    await using frontend = await startRealFrontend(release, servers);
    using ours = new OurFleet(servers);
    await using workers = new RoleWorkers({ release, model, modelPath, config }, servers);
    const rows: Record<string, string>[] = [];
    const phase = async (name: string, ...expected: readonly string[]) => {
      rows.push({ workers: name, ...(await eventually(() => compareReadiness(ours, frontend, expected))) });
    };

    const aggregated = await workers.join('aggregated');
    await phase('aggregated', 'dynamo: ready');
    const prefill = await workers.join('prefill');
    await phase('aggregated, prefill', 'dynamo: decode missing');
    const decode = await workers.join('decode');
    await phase('aggregated, prefill, decode', 'dynamo: ready');
    await workers.leave(prefill);
    await phase('aggregated, decode', 'dynamo: prefill missing');
    await workers.leave(decode, aggregated);

    const needs: RealWorkerPlan['needs'] = [['prefill', 'encode'], ['aggregated']];
    const choosy = await workers.join('decode', { needs });
    await phase(
      'X: decode that needs (prefill and encode) or aggregated',
      'dynamo: aggregated, encode, prefill missing',
    );
    const helper = await workers.join('prefill');
    await phase('X, prefill', 'dynamo: aggregated, encode missing');
    const encode = await workers.join('encode');
    await phase('X, prefill, encode', 'dynamo: ready');
    await workers.leave(encode);
    const other = await workers.join('aggregated');
    await phase('X, prefill, aggregated', 'dynamo: ready');
    await workers.leave(other, helper, choosy);

    const generation = 'dynamo-0a1b2c3d';
    await workers.join('decode');
    await workers.join('prefill', { endpoint: `${generation}.prefill.generate` });
    const neither = ['dynamo: prefill missing', `${generation}: decode missing`];
    await phase('decode, and prefill of another generation', ...neither);
    await workers.join('decode', { endpoint: `${generation}.decode.generate` });
    await phase('decode, and both of another generation', 'dynamo: prefill missing', `${generation}: ready`);
    printTable('readiness', rows);
  });

  it('tidemark and the frontend agree that a role at two endpoints of a namespace is ambiguous', async () => {
    await using nats = await startNats({ jetstream: true });
    await using etcd = await startEtcd();
    const servers = { nats, etcd };
    await using frontend = await startRealFrontend(release, servers);
    using ours = new OurFleet(servers);
    await using workers = new RoleWorkers({ release, model, modelPath, config }, servers);
    await workers.join('decode');
    await workers.join('prefill');
    await eventually(() => compareReadiness(ours, frontend, ['dynamo: ready']));
    const second = await workers.join('prefill', { endpoint: 'dynamo.prefill2.generate' });
    await eventually(() => compareReadiness(ours, frontend, ['dynamo: not ready']));
    await workers.leave(second);
    await eventually(() => compareReadiness(ours, frontend, ['dynamo: ready']));
  });
});

/** What tidemark says. `undefined`: there is no such pool, or no such model. */
interface State {
  readonly decode: FleetState | undefined;
  readonly prefill: FleetState | undefined;
  readonly model: FleetState;
  /** The roles without which the model is not ready. */
  readonly missing: readonly WorkerRole[] | undefined;
}

/** Compares what tidemark and the frontend say, and returns a row of a table with both. */
async function compare(ours: OurFleet, frontend: RealFrontend, workers: RoleWorkers, expected: State) {
  const answers = await askFrontend(frontend.url, model);
  const [readiness] = ours.readiness(model);
  const [decode, prefill] = [ours.poolState('decode'), ours.poolState('prefill')];
  const state: State = { decode, prefill, model: ours.modelState(), missing: readiness?.missing };
  expect(state).toEqual(expected);

  const roles = ['decode', 'prefill'] as const;
  const busy = roles.map((role) => ours.busyWorkers(role));
  const frontendBusy = roles.map((role) => frontend.busySetOf(workers.ids(role)));
  // A frontend that lost its threshold finds no worker busy.
  const isJudging = answers.threshold !== null;
  expect(frontendBusy).toEqual(isJudging ? busy : [[], []]);
  const missing = answers.readiness.map((one) => one.missing);
  expect(missing).toEqual(readiness ? [readiness.missing] : []);
  expect(answers.readiness.map(({ ready }) => ready)).toEqual(readiness ? [readiness.ready] : []);
  expect(answers.isListed).toBe(readiness?.ready ?? false);
  expect(answers.status).toBe(statusFor(state, isJudging));

  const shown = (sets: readonly string[][]) => sets.map(({ length }) => length).join('+');
  const row = {
    ...{ decode: decode ?? '-', prefill: prefill ?? '-', model: state.model },
    ready: readiness ? readyText(readiness.ready, readiness.missing) : '-',
    ...{ busy: shown(busy), '|': '|', 'busy sets': shown(frontendBusy) },
    '/ready': answers.readiness.map((one) => readyText(one.ready, one.missing)).join() || '-',
    '/v1/models': answers.isListed ? 'listed' : '-',
    '/busy_threshold': answers.threshold === undefined ? '-' : String(answers.threshold),
    ...{ '/health': `${answers.instances} instances`, request: String(answers.status) },
  };
  return [answers, row] as const;
}

/** The status code with which the frontend answers requests for a model in this state. */
function statusFor({ decode, model: state, missing }: State, isJudging: boolean): number {
  if (decode === undefined) return 404;
  if (missing === undefined || missing.length > 0) return 503;
  return isJudging && state === 'all-busy' ? 529 : 200;
}

/** Compares which namespaces are ready, and returns a row of a table with both answers. */
async function compareReadiness(ours: OurFleet, frontend: RealFrontend, expected: readonly string[]) {
  const { readiness, isListed } = await askFrontend(frontend.url, model);
  const [tidemark = [], theirs = []] = [ours.readiness(model), readiness].map((namespaces) =>
    [...namespaces]
      .sort((a, b) => (a.namespace < b.namespace ? -1 : 1))
      .map(({ namespace, ready, missing }) => `${namespace}: ${readyText(ready, missing)}`),
  );
  expect({ tidemark, theirs }).toEqual({ tidemark: expected, theirs: expected });
  expect(isListed).toBe(readiness.some(({ ready }) => ready));
  const reason = readiness.flatMap((one) => one.reason ?? []).join('; ');
  return { tidemark: tidemark.join('; '), frontend: theirs.join('; '), reason };
}

function readyText(ready: boolean, missing: readonly string[]): string {
  if (missing.length > 0) return `${missing.join(', ')} missing`;
  return ready ? 'ready' : 'not ready';
}
