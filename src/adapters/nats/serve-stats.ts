import { randomBytes } from 'node:crypto';
import { type Observable, Subject, defer, map, merge } from 'rxjs';
import type { Count } from '../../core/count.js';
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
import { type NatsLink, type NatsMessage, type Subscribed, subscribeAll } from './nats-link.js';
import {
  type NatsConnectionOptions,
  NatsOptionsError,
  isSubjectToken,
  toNatsConnectionOptions,
} from './nats-options.js';
import { runNats } from './nats-run.js';

/** What an endpoint has to say for itself when it is asked; what is absent is none. */
export interface EndpointStats {
  readonly numRequests?: Count;
  readonly numErrors?: Count;
  /** Nanoseconds of all requests together. */
  readonly processingTime?: Count;
  /** The last error, as `code:text`. */
  readonly lastError?: string;
  /** Its own statistics, as JSON text; those of `load_metrics` are what `encodeForwardPassMetrics` writes. */
  readonly data?: string | null;
}

/** An endpoint of a service that is served. */
export interface ServedEndpoint {
  readonly subject: string;
  /** The subject with dashes for its dots when absent, as in Dynamo. */
  readonly name?: string;
  /** `q` when absent. */
  readonly queueGroup?: string;
  /** Called for each request for statistics, and quick. Absent: all counts are 0, and there are no data. */
  readonly stats?: () => EndpointStats;
}

/** One instance of a service, as it answers. */
export class ServedService {
  private readonly started = new Date().toISOString();

  constructor(
    readonly identity: ServiceIdentity,
    private readonly description: string,
    private readonly endpoints: readonly ServedEndpoint[],
  ) {}

  answer(verb: ServiceVerb): Uint8Array {
    const { identity, description, started } = this;
    if (verb === 'PING') return encodeServicePing(identity);
    if (verb === 'STATS')
      return encodeServiceStats({ ...identity, started, endpoints: this.endpoints.map(countersOf) });
    return encodeServiceInfo({ ...identity, description, endpoints: this.endpoints.map(describeEndpoint) });
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

/** What an endpoint says. When it fails to, whoever asks is told so in the place for the last error. */
function readStats({ stats }: ServedEndpoint): EndpointStats {
  try {
    const said = stats?.() ?? {};
    // Text that is no JSON would make the whole reply none.
    if (typeof said.data === 'string') JSON.parse(said.data);
    return said;
  } catch (error) {
    return { lastError: `500:its statistics failed: ${errorText(error)}` };
  }
}

function mean(sum: Count, of: Count): Count {
  if (Number(of) === 0) return 0;
  return typeof sum === 'bigint' ? sum / BigInt(of) : sum / Number(of);
}

/** Which service answers. */
export interface ServedServiceOptions {
  readonly name: string;
  /** Tells the instances of a service apart; a random one for each subscription when absent. */
  readonly id?: string;
  /** `0.0.1` when absent, as in Dynamo up to 0.6. */
  readonly version?: string;
  /** Empty when absent. */
  readonly description?: string;
}

/** How a responder is. */
export interface ServeStatus extends SourceStatus {
  /** How many requests it answered so far. */
  readonly answered: number;
}

const VERSION = /^\d+\.\d+\.\d+(?:[-+].*)?$/;
const VERBS: readonly ServiceVerb[] = ['PING', 'INFO', 'STATS'];

/**
 * Answers `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS` as an instance of a NATS micro service: asked as one of all services,
 * by its name, or by its name and id. Dynamo up to 0.6 scrapes it as one of its own workers.
 *
 * 1. Each subscription is an instance. It answers for as long as it lasts, over one lost connection after another.
 * 2. Every field is there that Dynamo demands: `last_error` is an empty text where there was none, times are whole
 *    nanoseconds. The official JavaScript package leaves the one out and writes fractions for the others.
 * 3. `stats` of each endpoint is called when statistics are asked for. One that throws, or whose data are no JSON, leaves
 *    that endpoint without data, with the reason as its last error; the reply goes out.
 * 4. It serves no requests on the subjects of the endpoints: that is the caller's.
 * 5. It emits its status when that changes, and never errors. It completes when a given connection is closed by its
 *    owner.
 *
 * @throws NatsOptionsError, when it is called, for options that cannot be followed.
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
 * @see {@link scrapeStats}, which asks
 */
export function serveStats(
  access: NatsLink | NatsConnectionOptions,
  service: string | ServedServiceOptions,
  endpoints: readonly ServedEndpoint[],
): Observable<ServeStatus> {
  const options = typeof service === 'string' ? { name: service } : service;
  validateService(options, endpoints);
  const { name, version = '0.0.1', description = '' } = options;
  const given = toNatsConnectionOptions(access);
  return defer(() => {
    const { id = randomBytes(11).toString('hex') } = options;
    const served = new ServedService({ name, id, version }, description, endpoints);
    const subjects = VERBS.flatMap((verb) => [
      serviceRequestSubject(verb),
      serviceRequestSubject(verb, name),
      serviceRequestSubject(verb, name, id),
    ]);
    const unsent$ = new Subject<Subscribed>();
    let answered = 0;
    const answer = (link: NatsLink, { subject, reply = '' }: NatsMessage): void => {
      const verb = VERBS.find((one) => subject.startsWith(`$SRV.${one}`));
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

function validateService(service: ServedServiceOptions, endpoints: readonly ServedEndpoint[]): void {
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
      .map(({ subject }) => `${JSON.stringify(subject)} is no subject of an endpoint`),
  ];
  if (problems.length > 0) throw new NatsOptionsError(problems);
}
