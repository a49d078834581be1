import { argv, stdout } from 'node:process';
import { connect } from 'nats';
import {
  encodeForwardPassMetrics,
  encodeServiceStats,
  serviceEndpointName,
  serviceSubject,
} from 'tidemark/wire';
import { idOf, benchFleet } from '../bench-fleet.js';
import { SERVICE, STATS } from './protocol.js';

// Answers scrapes as the workers of a fleet, on a few connections, in a separate process, until it is ended.

const CONNECTIONS = 8;

const [url, workers] = argv.slice(2);
const fleet = benchFleet({ workers: Number(workers), ranks: 1 });
const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect({ servers: url })));
for (let worker = 0; worker < fleet.workers; worker += 1) {
  const connection = connections[worker % CONNECTIONS];
  const bytes = statsOf(worker);
  connection?.subscribe(STATS, { callback: (_, message) => message.respond(bytes) });
}
await Promise.all(connections.map((connection) => connection.flush()));
stdout.write('ready\n');

/** @param {number} worker */
function statsOf(worker) {
  const id = idOf(fleet, worker);
  const metrics = encodeForwardPassMetrics({
    workerStats: {
      dataParallelRank: null,
      requestActiveSlots: 3,
      requestTotalSlots: 256,
      numRequestsWaiting: 0,
    },
    kvStats: {
      kvActiveBlocks: worker,
      kvTotalBlocks: 4096,
      gpuCacheUsagePerc: 0.1,
      gpuPrefixCacheHitRate: 0.7,
    },
    specDecodeStats: null,
  });
  const endpoints = ['generate', 'load_metrics'].map((endpoint) => {
    const subject = serviceSubject(SERVICE, endpoint, id);
    return {
      subject,
      name: serviceEndpointName(subject),
      queueGroup: 'q',
      numRequests: 0,
      numErrors: 0,
      processingTime: 0,
      averageProcessingTime: 0,
      lastError: '',
      data: endpoint === 'generate' ? null : metrics,
    };
  });
  const started = '2026-11-21T11:41:07.259426032Z';
  return encodeServiceStats({ name: SERVICE, id: `w${worker}`, version: '0.0.1', started, endpoints });
}
