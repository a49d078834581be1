import type { Count } from '../../core/count.js';
import { plural } from '../../core/number-text.js';
import { parseJsonValue } from '../../wire/json/json-value.js';
import type { ServiceEndpointStats, ServiceStats } from '../../wire/services/service-stats.js';
import type { ScrapeRound } from './scrape-round.js';

const ABSENT = '–';

/** The result of one scrape for people: a line for each endpoint of each instance, then totals. */
export function statsTable({ instances, loads }: ScrapeRound): string[] {
  const rows = instances.flatMap((service) => rowsOf(service));
  const withMetrics = rows.some(({ metrics }) => metrics.length > 0);
  const withRanks = rows.some(({ rank }) => rank !== '');
  const withErrors = rows.some(({ lastError }) => lastError !== '');
  const head = [
    'SERVICE',
    'INSTANCE',
    'ENDPOINT',
    'REQUESTS',
    'ERRORS',
    'MEAN TIME',
    ...(withRanks ? ['RANK'] : []),
    ...(withMetrics ? ['KV BLOCKS', 'SLOTS', 'WAITING'] : []),
    ...(withErrors ? ['LAST ERROR'] : []),
  ];
  const cells = rows.map(({ names, counts, rank, metrics, lastError }) => [
    ...names,
    ...counts,
    ...(withRanks ? [rank] : []),
    ...(withMetrics ? [metrics[0] ?? '', metrics[1] ?? '', metrics[2] ?? ''] : []),
    ...(withErrors ? [lastError] : []),
  ]);
  const services = new Set(instances.map(({ name }) => name)).size;
  return [
    ...alignColumns([head, ...cells]),
    '',
    ...loads.map(
      ({ service, snapshot }) =>
        `${service}: ${plural(snapshot.workerIds().length, 'worker')}; active KV blocks ${formatNumber(snapshot.loadAvg)} on average, deviation ${formatNumber(snapshot.loadStd)}`,
    ),
    `${plural(services, 'service')}, ${plural(instances.length, 'instance')}, ${plural(rows.length, 'endpoint')}`,
  ];
}

interface Row {
  readonly names: readonly string[];
  readonly counts: readonly string[];
  readonly rank: string;
  readonly metrics: readonly string[];
  readonly lastError: string;
}

function rowsOf({ name, id, endpoints }: ServiceStats): Row[] {
  return endpoints.map((endpoint) => ({
    names: [name, id, endpoint.subject].map(printable),
    counts: [formatCount(endpoint.numRequests), formatCount(endpoint.numErrors), meanTime(endpoint)],
    rank: String(endpoint.metrics?.workerStats.dataParallelRank ?? ''),
    metrics: metricsOf(endpoint),
    lastError: printable(endpoint.lastError ?? ''),
  }));
}

function metricsOf({ metrics }: ServiceEndpointStats): string[] {
  if (metrics === null) return [];
  const { workerStats, kvStats } = metrics;
  const [active, total] = [kvStats.kvActiveBlocks, kvStats.kvTotalBlocks];
  const share = Number(total) === 0 ? '' : ` (${Math.round((100 * Number(active)) / Number(total))} %)`;
  return [
    `${active}/${total}${share}`,
    `${workerStats.requestActiveSlots}/${workerStats.requestTotalSlots}`,
    String(workerStats.numRequestsWaiting),
  ];
}

/**
 * The mean time of one request. It is computed from the sum where possible, because some services send an average that
 * is not an integer.
 */
function meanTime({ processingTime, numRequests, averageProcessingTime }: ServiceEndpointStats): string {
  if (numRequests === null || processingTime === null)
    return averageProcessingTime === null ? ABSENT : formatDuration(Number(averageProcessingTime));
  return Number(numRequests) === 0 ? ABSENT : formatDuration(Number(processingTime) / Number(numRequests));
}

function formatDuration(nanoseconds: number): string {
  if (nanoseconds < 1e3) return `${formatNumber(nanoseconds)} ns`;
  if (nanoseconds < 1e6) return `${formatNumber(nanoseconds / 1e3)} µs`;
  if (nanoseconds < 1e9) return `${formatNumber(nanoseconds / 1e6)} ms`;
  return `${formatNumber(nanoseconds / 1e9)} s`;
}

function formatNumber(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function formatCount(value: Count | null): string {
  return value === null ? ABSENT : String(value);
}

/** Text from the network, without characters that would move the cursor or break the line. */
function printable(text: string): string {
  return text.replace(/\p{C}+/gu, ' ').slice(0, 120);
}

/** Pads columns to the width of their widest cell. The number columns, in the middle, are right-aligned. */
function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const isText = (column: number): boolean => column < 3 || head[column] === 'LAST ERROR';
  return rows.map((row) =>
    row
      .map((cell, column) =>
        isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** The result of one scrape for programs: an object for each instance, then one for the scrape, each with its kind. */
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

type InstanceEndpoint = ScrapeRound['instances'][number]['endpoints'][number];

/** An endpoint with its statistics as plain data, unless they are already given as metrics. */
function endpointObject(endpoint: InstanceEndpoint): object {
  const { name, subject, numRequests, numErrors, processingTime, averageProcessingTime } = endpoint;
  const { lastError, queueGroup, metrics } = endpoint;
  const counts = { numRequests, numErrors, processingTime, averageProcessingTime, lastError, queueGroup };
  const data = metrics === null && endpoint.data !== null ? parseJsonValue(endpoint.data) : { value: null };
  return { name, subject, ...counts, metrics, data: 'value' in data ? data.value : null };
}
