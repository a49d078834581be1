import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onFreePort } from './on-free-port.js';
import { ServerProcess } from './server-process.js';

/** A Prometheus that scrapes some targets every half second. */
export class PrometheusServer implements AsyncDisposable {
  readonly url: string;
  private readonly process = new ServerProcess('prometheus');

  constructor(private readonly port: number) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts it. `targets` are as `127.0.0.1:8080`, `rules` paths of files. */
  async start(targets: readonly string[], rules: readonly string[]): Promise<void> {
    const path = join(this.process.folder, 'prometheus.json');
    // JSON is YAML too.
    const config = {
      global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
      rule_files: rules,
      scrape_configs: [{ job_name: 'tidemark', static_configs: [{ targets }] }],
    };
    await writeFile(path, JSON.stringify(config));
    await this.process.start(
      [
        `--config.file=${path}`,
        `--storage.tsdb.path=${join(this.process.folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${this.port}`,
      ],
      /Server is ready to receive web requests/,
    );
  }

  /** What an instant query returns, as label sets with values. */
  async query(text: string): Promise<{ metric: Record<string, string>; value: string }[]> {
    const answer = await fetch(`${this.url}/api/v1/query?${new URLSearchParams({ query: text }).toString()}`);
    const { status, error, data } = (await answer.json()) as QueryAnswer;
    if (status !== 'success') throw new Error(error);
    return data.result.map(({ metric, value: [, value] }) => ({ metric, value }));
  }

  /** The targets of Prometheus: whether they are up, and why not. */
  async targets(): Promise<{ health: string; lastError: string }[]> {
    const answer = await fetch(`${this.url}/api/v1/targets`);
    const { data } = (await answer.json()) as {
      data: { activeTargets: { health: string; lastError: string }[] };
    };
    return data.activeTargets.map(({ health, lastError }) => ({ health, lastError }));
  }

  stop(): Promise<void> {
    return this.process.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

interface QueryAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data: {
    readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[];
  };
}

/** Starts a Prometheus on a free port. */
export function startPrometheus(
  targets: readonly string[],
  rules: readonly string[] = [],
): Promise<PrometheusServer> {
  return onFreePort(async (port) => {
    const server = new PrometheusServer(port);
    try {
      await server.start(targets, rules);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  });
}
