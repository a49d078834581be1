// A gateway that routes around busy workers: it reads the server-sent events of `tidemark serve`, sends each request to the
// next worker that is not busy, and answers 529 with Retry-After when all workers are busy, and 503 when there is none. Plain
// Node, nothing to install.
//
//   TIDEMARK=http://127.0.0.1:9420 MODEL=llama WORKERS="7=http://10.0.0.7:8000 8=http://10.0.0.8:8000" \
//     node examples/gateway/gateway.js
import { createServer, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const { TIDEMARK = 'http://127.0.0.1:9420', MODEL = 'demo-model', WORKERS = '', PORT = '8080' } = process.env;
const workers = new Map(
  WORKERS.split(/\s+/)
    .filter(Boolean)
    .map((entry) => entry.split(/=(.*)/s).slice(0, 2)),
);
if (workers.size === 0) {
  console.error('WORKERS is empty: set WORKERS="<id>=<url> <id>=<url>", with the ids from GET /workers.');
  process.exit(2);
}

// What tidemark last reported: the state of the model, and the busy workers of each pool that serves its requests. A worker id
// may be in several pools, so each pool has a set of its own. Prefill pools count only in the state of the model.
let model = { state: 'unknown', adapterOf: null, retryAfterSeconds: null };
const busyByPool = new Map();
// tidemark is heard at least every 15 s. When it is not, its last report is too old, and every worker gets requests.
const MAX_SILENCE_MS = Number(process.env.MAX_SILENCE_MS ?? 45_000);
let heardAt = -Infinity;
let turn = 0;

const isBusy = (id) => [...busyByPool.values()].some((busy) => busy.has(id));

/** The workers that may get a request: those that are not busy, because nothing is wrong with an unknown one. */
function routable() {
  const ids = [...workers.keys()];
  if (Date.now() - heardAt > MAX_SILENCE_MS) return ids;
  return model.state === 'none' || model.state === 'all-busy' ? [] : ids.filter((id) => !isBusy(id));
}

const refusals = {
  none: { code: 503, type: 'Service Unavailable', message: 'No worker can serve this model' },
  overloaded: { code: 529, type: 'Overloaded', message: 'Service temporarily overloaded' },
};

const server = createServer((incoming, outgoing) => {
  const free = routable();
  if (free.length === 0) {
    const { code, type, message } = refusals[model.state] ?? refusals.overloaded;
    const retryAfter = String(model.retryAfterSeconds ?? 1);
    outgoing.writeHead(code, { 'content-type': 'application/json', 'retry-after': retryAfter });
    outgoing.end(JSON.stringify({ message, type, code }));
    return;
  }
  const id = free[turn++ % free.length];
  const { method, headers, url } = incoming;
  const forwarded = request(new URL(url, workers.get(id)), { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode, { ...answer.headers, 'x-worker-id': id });
    answer.pipe(outgoing);
  });
  forwarded.on('error', ({ message }) => {
    if (outgoing.headersSent) return outgoing.destroy();
    outgoing.writeHead(502, { 'content-type': 'application/json' });
    outgoing.end(
      JSON.stringify({
        message: `Worker ${id} cannot be reached: ${message}`,
        type: 'Bad Gateway',
        code: 502,
      }),
    );
  });
  outgoing.on('close', () => forwarded.destroy());
  incoming.pipe(forwarded);
});
server.listen(Number(PORT), '127.0.0.1', () =>
  console.log(`routing on http://127.0.0.1:${server.address().port}`),
);

/** Applies a server-sent event of tidemark. */
function apply(type, data) {
  if (type === 'snapshot') {
    model = data.models.find(({ model }) => model === MODEL) ?? { ...model, state: 'unknown' };
    busyByPool.clear();
    for (const pool of data.pools) apply('pool', pool);
    return;
  }
  if (type === 'model' && data.model === MODEL) model = data;
  // The workers of a LoRA adapter are judged in the pools of its model, unless it has thresholds of its own.
  if (![MODEL, model.adapterOf].includes(data.model) || data.role !== 'decode') return;
  const key = `${data.model} ${data.endpoint}`;
  if (type === 'pool') busyByPool.set(key, new Set(data.busy));
  else if (type === 'pool-gone') busyByPool.delete(key);
  else if (type === 'transition') busyByPool.get(key)?.[data.to === 'busy' ? 'add' : 'delete'](data.workerId);
  else if (type === 'fleet' && data.model === MODEL)
    model = { ...model, retryAfterSeconds: data.retryAfterSeconds ?? model.retryAfterSeconds };
}

// While tidemark is unreachable, its last report is kept for a time. After a reconnect, the stream resumes after the last event.
let lastEventId = '';
for (;;) {
  try {
    const response = await fetch(new URL('/events', TIDEMARK), { headers: { 'last-event-id': lastEventId } });
    if (!response.ok) throw new Error(`status ${response.status}`);
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      heardAt = Date.now();
      const events = (text + chunk).split('\n\n');
      text = events.pop();
      for (const event of events) {
        const [id, type, data] = ['id', 'event', 'data'].map(
          (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(event)?.[1],
        );
        if (data === undefined) continue;
        apply(type, JSON.parse(data));
        lastEventId = id;
      }
    }
  } catch (error) {
    console.error(
      `cannot read events from tidemark (${error.cause?.message ?? error.message}); retrying in a second`,
    );
  }
  await sleep(1000);
}
