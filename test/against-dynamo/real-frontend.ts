import type { LoadThresholdUpdate } from '../../src/core/policy/load-thresholds.js';
import type { WorkerId } from '../../src/core/worker-id.js';
import { eventually } from '../support/eventually.js';
import { onFreePort } from '../support/on-free-port.js';
import { dynamoPython } from './dynamo-python.js';
import { PythonProcess, type Servers } from './python-process.js';
import type { MonitoringRelease } from './releases.js';

/** Dynamo's frontend, whose worker monitor logs the busy workers. */
export interface RealFrontend extends AsyncDisposable {
  /** Such as `http://127.0.0.1:8000`. */
  readonly url: string;
  /** The logged sets of busy workers, in order, each sorted. The last one is current. */
  busySets(): string[][];
  /** The last logged set of the monitor of 1.6 that judges these workers, sorted. */
  busySetOf(workers: readonly WorkerId[]): string[];
  /** Sets thresholds for a model as soon as it is served, and returns those in force. */
  setThresholds(model: string, thresholds: Thresholds): Promise<LoadThresholdUpdate>;
}

interface Thresholds {
  readonly active_decode_blocks_threshold?: number | null;
  readonly active_prefill_tokens_threshold?: number | null;
  readonly active_prefill_tokens_threshold_frac?: number | null;
}

/** The log messages of 1.0 and 1.6. */
const changed =
  /(?:Busy instances changed: |overloaded instances changed overloaded_instances=)\[([\d, ]*)\]/g;

/** In 1.6 a monitor logs the load that it judged before the set that the load changed. */
const judged = /processed active load update worker_id=(\d+)/;

/** Starts the frontend of a release with a monitor that receives loads over NATS, and waits until it answers. */
export function startRealFrontend(release: MonitoringRelease, servers: Servers): Promise<RealFrontend> {
  return onFreePort(async (port) => {
    const address = ['--http-host', '127.0.0.1', '--http-port', String(port)];
    const planes = ['--router-mode', 'round-robin', '--request-plane', 'nats', '--event-plane', 'nats'];
    const args = ['-m', 'dynamo.frontend', ...address, ...planes];
    const process = new PythonProcess(await dynamoPython(release), args, servers);
    const url = `http://127.0.0.1:${port}`;
    const thresholdUrl = `${url}/busy_threshold`;
    try {
      await eventually(async () => {
        process.check();
        await fetch(thresholdUrl);
      }, 60_000);
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
    return {
      url,
      busySets: () => loggedSets(process.log),
      busySetOf: (workers) => {
        let isJudgedHere = false;
        let busy: string[] = [];
        for (const line of process.log.split('\n')) {
          const worker = judged.exec(line)?.[1];
          if (worker !== undefined) isJudgedHere = workers.some((id) => String(id) === worker);
          else if (isJudgedHere) busy = loggedSets(line)[0] ?? busy;
        }
        return busy;
      },
      setThresholds: async (model, thresholds) => {
        const answer = await eventually(async () => {
          process.check();
          const body = JSON.stringify({ model, ...thresholds });
          const headers = { 'content-type': 'application/json' };
          const response = await fetch(thresholdUrl, { method: 'POST', headers, body });
          if (!response.ok) throw new Error(`${await response.text()}\n${process.log.slice(-3000)}`);
          return (await response.json()) as Thresholds;
        }, 60_000);
        return {
          activeDecodeBlocksThreshold: answer.active_decode_blocks_threshold ?? null,
          activePrefillTokensThreshold: answer.active_prefill_tokens_threshold ?? null,
          activePrefillTokensThresholdFrac: answer.active_prefill_tokens_threshold_frac ?? null,
        };
      },
      [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
    };
  });
}

function loggedSets(log: string): string[][] {
  return [...log.matchAll(changed)].map(([, ids = '']) => ids.split(', ').filter(Boolean).sort());
}
