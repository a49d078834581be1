import { randomBytes } from 'node:crypto';
import { defer, map, merge, Subject, type Observable } from 'rxjs';
import type { SourceStatus } from '../../core/source-status.js';
import { errorText } from '../../operators/error-text.js';
import { serviceRequestSubject, type ServiceVerb } from '../../wire/service-names.js';
import { accessOf, type NatsAccess } from './nats-access.js';
import type { NatsLink, NatsMessage } from './nats-link.js';
import { NatsOptionsError } from './nats-options-error.js';
import { natsRun } from './nats-run.js';
import { ServedService, type ServedEndpoint } from './served-service.js';
import { subscribeAll, type Subscribed } from './subscribe-all.js';
import { isSubjectToken } from './subject-token.js';

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
  access: NatsLink | NatsAccess,
  service: string | ServedServiceOptions,
  endpoints: readonly ServedEndpoint[],
): Observable<ServeStatus> {
  const options = typeof service === 'string' ? { name: service } : service;
  check(options, endpoints);
  const { name, version = '0.0.1', description = '' } = options;
  const given = accessOf(access);
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
    return natsRun(given, 'service', (link) =>
      merge(
        subscribeAll(link, subjects, (message) => answer(link, message)),
        unsent$,
      ),
    ).pipe(map((status) => ({ ...status, answered })));
  });
}

function check(service: ServedServiceOptions, endpoints: readonly ServedEndpoint[]): void {
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
