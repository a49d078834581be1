/** What a frontend of 1.6 says about a model. */
export interface FrontendAnswers {
  /** Whether `/v1/models` lists it. */
  readonly isListed: boolean;
  /** What `/v1/models/MODEL/ready` says for each namespace. Empty for a model that it does not know. */
  readonly readiness: readonly NamespaceReadiness[];
  /** Its `active_decode_blocks_threshold`; `undefined` where `/busy_threshold` does not list it. */
  readonly threshold: number | null | undefined;
  /** The number of instances in `/health`. */
  readonly instances: number;
  /** The status code of a small request. */
  readonly status: number;
}

interface NamespaceReadiness {
  readonly namespace: string;
  readonly ready: boolean;
  readonly missing: readonly string[];
  /** Why it is not ready, in words. */
  readonly reason: string | undefined;
}

/** Asks the frontend at this URL about a model, and sends it a request. */
export async function askFrontend(url: string, model: string): Promise<FrontendAnswers> {
  const models = await get<{ data: readonly { id: string }[] }>(`${url}/v1/models`);
  const thresholds = await get<{ thresholds: readonly ModelThresholds[] }>(`${url}/busy_threshold`);
  const { instances } = await get<{ instances: readonly unknown[] }>(`${url}/health`);
  const { namespaces = {} } = await get<{ namespaces?: Namespaces }>(`${url}/v1/models/${model}/ready`);
  const messages = [{ role: 'user', content: 'hello' }];
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages, max_tokens: 2 }),
  });
  await response.arrayBuffer();
  return {
    isListed: models.data.some(({ id }) => id === model),
    readiness: Object.entries(namespaces).map(([namespace, { ready, reason, missing_worker_types }]) => ({
      ...{ namespace, ready, reason },
      missing: missing_worker_types,
    })),
    threshold: thresholds.thresholds.find((one) => one.model === model)?.active_decode_blocks_threshold,
    instances: instances.length,
    status: response.status,
  };
}

interface ModelThresholds {
  readonly model: string;
  readonly active_decode_blocks_threshold: number | null;
}

type Namespaces = Readonly<
  Record<
    string,
    { readonly ready: boolean; readonly reason?: string; readonly missing_worker_types: readonly string[] }
  >
>;

/** The JSON of an answer, whatever its status. */
async function get<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}
