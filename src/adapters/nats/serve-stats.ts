import { randomBytes } from 'node:crypto';
import { type Observable, Subject, type TimestampProvider, defer, map, merge } from 'rxjs';
import type { Count } from '../../core/count.js';
import { aString, optionProblems, required, shownValue } from '../../core/option-problems.js';
import type { SourceStatus } from '../../core/sources/source-status.js';
import { errorText } from '../../operators/error-text.js';
import {
  type ServiceEndpointCounters,
  type ServiceIdentity,
  encodeServiceInfo,
  encodeServicePing,
  encodeServiceStats,
} from '../../wire/services/service-encoder.js';
import {
  type ServiceVerb,
  serviceEndpointName,
  serviceRequestSubject,
} from '../../wire/services/service-names.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import { wallTime } from '../clock/wall-time.js';
import { type NatsLink, type NatsMessage, type Subscribed, subscribeAll } from './nats-link.js';
import {
  type NatsConnectionOptions,
  NatsOptionsError,
  isSubjectToken,
  toNatsConnectionOptions,
} from './nats-options.js';
import { runNats } from './nats-run.js';

/** The statistics of an endpoint. Absent counts are 0. */
export interface EndpointStats {
  readonly numRequests?: Count;
  readonly numErrors?: Count;
  /** The total of all requests, in nanoseconds. */
  readonly processingTime?: Count;
  /** The last error, as `code:text`. */
  readonly lastError?: string;
  /** Its own statistics as JSON text; for `load_metrics` the result of `encodeForwardPassMetrics`. */
  readonly data?: string | null;
}

/** An endpoint of a service to serve. */
export interface ServedEndpoint {
  readonly subject: string;
  /** Defaults to the subject with dashes instead of dots, as in Dynamo. */
  readonly name?: string;
  /** Defaults to `q`. */
  readonly queueGroup?: string;
  /** Called for each STATS request; must be fast. Absent: all counts are 0, and there is no data. */
  readonly stats?: () => EndpointStats;
}

/** Encodes the replies of one instance of a service. */
class ServedService {
  private readonly startedAt: number;

  constructor(
    readonly identity: ServiceIdentity,
    private readonly description: string,
    private readonly endpoints: readonly ServedEndpoint[],
    private readonly clock: TimestampProvider,
  ) {
    this.startedAt = clock.now();
  }

  answer(verb: ServiceVerb): Uint8Array {
    const { identity, description, endpoints, clock } = this;
    if (verb === 'PING') return encodeServicePing(identity);
    if (verb === 'STATS') {
      const started = wallTime(clock, this.startedAt).toISOString();
      return encodeServiceStats({ ...identity, started, endpoints: endpoints.map(countersOf) });
    }
    return encodeServiceInfo({ ...identity, description, endpoints: endpoints.map(describeEndpoint) });
  }
}

function describeEndpoint({
  subject,
  name = serviceEndpointName(subject),
  queueGroup = 'q',
}: ServedEndpoint): {
  subject: string;
  name: string;
  queueGroup: string;
} {
  return { subject, name, queueGroup };
}

function countersOf(endpoint: ServedEndpoint): ServiceEndpointCounters {
  const {
    numRequests = 0,
    numErrors = 0,
    processingTime = 0,
    lastError = '',
    data = null,
  } = readStats(endpoint);
  return {
    ...describeEndpoint(endpoint),
    numRequests,
    numErrors,
    processingTime,
    averageProcessingTime: mean(processingTime, numRequests),
    lastError,
    data,
  };
}

/** Calls `stats` of an endpoint. If it throws, the reply contains the reason as the last error. */
function readStats({ stats }: ServedEndpoint): EndpointStats {
  try {
    const values = stats?.() ?? {};
    // Invalid JSON would make the whole reply invalid.
    if (typeof values.data === 'string') JSON.parse(values.data);
    return values;
  } catch (error) {
    return { lastError: `500:reading the statistics failed: ${errorText(error)}` };
  }
}

function mean(sum: Count, of: Count): Count {
  if (Number(of) === 0) return 0;
  return typeof sum === 'bigint' ? sum / BigInt(of) : sum / Number(of);
}

/** The identity of a service to serve. */
export interface ServedServiceOptions {
  readonly name: string;
  /** The id of the instance. Defaults to a random id for each subscription. */
  readonly id?: string;
  /** Defaults to `0.0.1`, as in Dynamo up to 0.6. */
  readonly version?: string;
  /** Defaults to an empty text. */
  readonly description?: string;
}

/** The status of a responder. */
export interface ServeStatus extends SourceStatus {
  /** The number of requests answered so far. */
  readonly answered: number;
}

const serviceRules = { name: required(aString), id: aString, version: aString, description: aString };
const endpointRules = {
  subject: required(aString),
  name: aString,
  queueGroup: aString,
  stats: { what: 'a function', is: (value: unknown) => typeof value === 'function' },
};
const VERSION = /^\d+\.\d+\.\d+(?:[-+].*)?$/;
const VERBS: readonly ServiceVerb[] = ['PING', 'INFO', 'STATS'];

/**
 * Answers `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS` as an instance of a NATS micro service: requests to all services, to
 * its name, and to its name and id. Dynamo up to 0.6 scrapes it like one of its own workers.
 *
 * 1. Each subscription is a separate instance, which also reconnects after a lost connection.
 * 2. Replies have every field that Dynamo requires: `last_error` is an empty text if there was no error, and times are
 *    whole nanoseconds. The official JavaScript package omits the former and writes fractions for the latter.
 * 3. Each STATS request calls `stats` of every endpoint. If it throws or its data is not valid JSON, the reply contains
 *    that endpoint without data and with the reason as its last error.
 * 4. It does not serve requests on the subjects of the endpoints.
 * 5. It emits every change of its status and never errors. It completes when the owner of a given connection closes it.
 *
 * @throws NatsOptionsError for invalid options, synchronously.
 *
 * @example
 * ```ts no-run
 * import { workerId } from 'tidemark';
 * import { serveStats } from 'tidemark/nats';
 * import { encodeForwardPassMetrics, serviceName, serviceSubject } from 'tidemark/wire';
 *
 * const service = serviceName('dynamo', 'backend');
 * const metrics = {
 *   workerStats: { dataParallelRank: null, requestActiveSlots: 3, requestTotalSlots: 256, numRequestsWaiting: 0 },
 *   kvStats: { kvActiveBlocks: 120, kvTotalBlocks: 4096, gpuCacheUsagePerc: 0.1, gpuPrefixCacheHitRate: 0 },
 *   specDecodeStats: null,
 * };
 * serveStats({ servers: 'nats://127.0.0.1:4222' }, service, [
 *   {
 *     subject: serviceSubject(service, 'load_metrics', workerId('7587888657184927289')),
 *     stats: () => ({ data: encodeForwardPassMetrics(metrics) }),
 *   },
 * ]).subscribe(({ state, why = '' }) => console.log(state, why));
 * ```
 *
 * @see {@link scrapeStats} for the requests
 */
export function serveStats(
  connection: NatsLink | NatsConnectionOptions,
  service: string | ServedServiceOptions,
  endpoints: readonly ServedEndpoint[],
): Observable<ServeStatus> {
  const options = typeof service === 'string' ? { name: service } : service;
  requireService(options, endpoints);
  const { name, version = '0.0.1', description = '' } = options;
  const given = toNatsConnectionOptions(connection);
  const { scheduler = monotonicScheduler } = given;
  return defer(() => {
    const { id = randomBytes(11).toString('hex') } = options;
    const served = new ServedService({ name, id, version }, description, endpoints, scheduler);
    const subjects = VERBS.flatMap((verb) => [
      serviceRequestSubject(verb),
      serviceRequestSubject(verb, name),
      serviceRequestSubject(verb, name, id),
    ]);
    const unsent$ = new Subject<Subscribed>();
    let answered = 0;
    const answer = (link: NatsLink, { subject, reply = '' }: NatsMessage): void => {
      const verb = VERBS.find((candidate) => subject.startsWith(`$SRV.${candidate}`));
      if (verb === undefined || reply === '') return;
      try {
        link.publish(reply, served.answer(verb));
        answered += 1;
      } catch (error) {
        unsent$.next({ refused: [`a reply to ${subject} could not be sent: ${errorText(error)}.`] });
      }
    };
    return runNats(given, 'service', (link) =>
      merge(
        subscribeAll(link, subjects, (message) => answer(link, message)),
        unsent$,
      ),
    ).pipe(map((status) => ({ ...status, answered })));
  });
}

/** @throws NatsOptionsError with all problems */
function requireService(service: ServedServiceOptions, endpoints: readonly ServedEndpoint[]): void {
  const shape = optionProblems('serveStats', service, serviceRules);
  if (!Array.isArray(endpoints)) shape.push(`endpoints must be a list, not ${shownValue(endpoints)}`);
  else shape.push(...endpoints.flatMap((endpoint) => optionProblems('an endpoint', endpoint, endpointRules)));
  if (shape.length > 0) throw new NatsOptionsError(shape);
  const { name, id = 'x', version = '0.0.1' } = service;
  const problems = [
    ...(isSubjectToken(name)
      ? []
      : [`name must be one word without spaces, dots, * or >, not ${JSON.stringify(name)}`]),
    ...(isSubjectToken(id)
      ? []
      : [`id must be one word without spaces, dots, * or >, not ${JSON.stringify(id)}`]),
    ...(VERSION.test(version)
      ? []
      : [`version must be three numbers such as 0.0.1, not ${JSON.stringify(version)}`]),
    ...endpoints
      .filter(({ subject }) => !subject.split('.').every(isSubjectToken))
      .map(
        ({ subject }) =>
          `${JSON.stringify(subject)} is not a valid subject of an endpoint: write words without spaces, * or >, separated by dots`,
      ),
  ];
  if (problems.length > 0) throw new NatsOptionsError(problems);
}
