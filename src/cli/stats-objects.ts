import { jsonValueOf } from '../wire/json-value.js';
import type { ScrapeRound } from './scrape-round.js';

/** What one scrape found, for programs: an object for each instance, with its kind, and one for all of it at the end. */
export function statsObjects({
  instances,
  loads,
  problems,
  error,
}: ScrapeRound): readonly (readonly [string, object])[] {
  return [
    ...instances.map(({ name, id, version, started, endpoints }) => {
      const service = { name, id, version, started, endpoints: endpoints.map(endpointObject) };
      return ['service', service] as const;
    }),
    [
      'scrape',
      {
        complete: error === null,
        why: error === null ? null : { code: error.code, message: error.message },
        instances: instances.length,
        problems: problems.length,
        loads: loads.map(({ service, snapshot }) => ({
          service,
          loadAvg: snapshot.loadAvg,
          loadStd: snapshot.loadStd,
          workers: snapshot.workerIds(),
        })),
      },
    ],
  ];
}

type Endpoint = ScrapeRound['instances'][number]['endpoints'][number];

/** With the statistics as plain data, but for those that are metrics already. */
function endpointObject(endpoint: Endpoint): object {
  const { name, subject, numRequests, numErrors, processingTime, averageProcessingTime } = endpoint;
  const { lastError, queueGroup, metrics } = endpoint;
  const counts = { numRequests, numErrors, processingTime, averageProcessingTime, lastError, queueGroup };
  const data = metrics === null && endpoint.data !== null ? jsonValueOf(endpoint.data) : { value: null };
  return { name, subject, ...counts, metrics, data: 'value' in data ? data.value : null };
}
