// A gateway that routes around busy workers: it reads the server-sent events of `tidemark serve`, sends each request to the
// next free worker, and answers 529 with Retry-After when all workers are busy. Plain Node, nothing to install.
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

/** The busy workers and the Retry-After of refused requests, as last reported by tidemark. */
const busy = new Set();
let retryAfterSeconds = 1;
let turn = 0;

const server = createServer((incoming, outgoing) => {
  const free = [...workers.keys()].filter((id) => !busy.has(id));
  if (free.length === 0) {
    const body = JSON.stringify({ message: 'Service temporarily overloaded', type: 'Overloaded', code: 529 });
    outgoing.writeHead(529, { 'content-type': 'application/json', 'retry-after': String(retryAfterSeconds) });
    outgoing.end(body);
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
    busy.clear();
    for (const pool of data.pools.filter(({ model }) => model === MODEL)) {
      for (const id of pool.busy) busy.add(id);
      retryAfterSeconds = pool.retryAfterSeconds ?? retryAfterSeconds;
    }
  } else if (data.model !== MODEL) return;
  else if (type === 'transition') busy[data.busy ? 'add' : 'delete'](data.workerId);
  else if (type === 'fleet') retryAfterSeconds = data.retryAfterSeconds ?? retryAfterSeconds;
}

// While tidemark is unreachable, its last state is kept. After a reconnect, the stream resumes after the last event.
let lastEventId = '';
for (;;) {
  try {
    const response = await fetch(new URL('/events', TIDEMARK), { headers: { 'last-event-id': lastEventId } });
    if (!response.ok) throw new Error(`status ${response.status}`);
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
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
