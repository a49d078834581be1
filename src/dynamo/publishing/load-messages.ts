import {
  type OperatorFunction,
  type SchedulerLike,
  type TimestampProvider,
  asyncScheduler,
  defer,
  map,
} from 'rxjs';
import { TidemarkError } from '../../core/errors.js';
import type { ActiveLoad } from '../../core/events/fleet-event.js';
import { parseCount } from '../../core/number-text.js';
import {
  aScheduler,
  isRecord,
  oneOf,
  optionProblems,
  required,
  validatedElsewhere,
} from '../../core/option-problems.js';
import type { Message } from '../../core/sources/message-source.js';
import { type EndpointLike, parseEndpoint } from '../../wire/endpoint-names.js';
import { encodeActiveLoad, encodeEnvelope } from '../../wire/loads/load-encoder.js';
import { loadSubject } from '../loads/subjects.js';
import { selectPublications } from './publication-rules.js';

/** Options of {@link loadMessages}. */
export interface LoadMessagesOptions {
  /** The endpoint of the loads, with its namespace. */
  readonly endpoint: EndpointLike;
  /** `worker` publishes changes, debounced by a millisecond; `router` (1.0 only) publishes every value at once. */
  readonly as: 'worker' | 'router';
  /** The release whose format and subject to use. */
  readonly release: '1.0' | '1.6';
  /** The id in the envelopes, below 2^64: in 1.0 that of the worker, later a random one. */
  readonly publisherId: string;
  /** The clock of the debouncing. `asyncScheduler` when absent. */
  readonly scheduler?: SchedulerLike;
  /** The wall clock in the envelopes. That of `asyncScheduler` when absent. */
  readonly wallClock?: TimestampProvider;
}

const rules = {
  endpoint: required(validatedElsewhere),
  as: required(oneOf(['worker', 'router'])),
  release: required(oneOf(['1.0', '1.6'])),
  publisherId: required({
    what: 'a whole number below 2^64, as a string',
    is: (value: unknown) => typeof value === 'string' && parseCount(value) !== null,
  }),
  scheduler: aScheduler,
  wallClock: {
    what: 'a clock with the method now',
    is: (value: unknown) => isRecord(value) && typeof value['now'] === 'function',
  },
};

/**
 * Converts loads into the messages in which a publisher of Dynamo sends them.
 *
 * 1. A `worker` of 1.6 sends the load of a rank a millisecond after its last change, each rank separately. In 1.0 all
 *    ranks share that millisecond, and only the last load is sent. A load that equals the one before in all its values is
 *    not a change. A `router` sends every load at once.
 * 2. Envelopes are numbered from 0, beginning again with each subscription. A message that is lost later leaves a gap, which the
 *    receiver detects.
 * 3. Up to 1.3 the subject is that of the namespace, later that of the endpoint.
 *
 * @throws TidemarkError, code `publisher-options`, for invalid options, and EndpointNameError for an invalid endpoint.
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { workerId } from 'tidemark';
 * import { loadMessages } from 'tidemark/dynamo';
 *
 * const load = { workerId: workerId('7'), dpRank: 0, activeDecodeBlocks: 90, activePrefillTokens: null, kvUsedBlocks: null };
 * of(load)
 *   .pipe(loadMessages({ endpoint: 'dynamo.backend.generate', as: 'router', release: '1.0', publisherId: '7' }))
 *   .subscribe(({ subject }) => console.log(subject));
 * // Logs: namespace.dynamo.kv_metrics
 * ```
 *
 * @see `natsPublisher` in `tidemark/nats`, which sends messages
 */
export function loadMessages(options: LoadMessagesOptions): OperatorFunction<ActiveLoad, Message> {
  const problems = optionProblems('loadMessages', options, rules);
  if (problems.length > 0) throw new TidemarkError('publisher-options', `${problems.join('; ')}.`);
  const { as, release, publisherId, scheduler = asyncScheduler, wallClock = asyncScheduler } = options;
  const endpoint = parseEndpoint(options.endpoint);
  const [subject, fields] =
    release === '1.0'
      ? ([loadSubject({ namespace: endpoint.namespace }), 4] as const)
      : ([loadSubject(endpoint), 5] as const);
  return (loads$) =>
    defer(() => {
      let sequence = 0;
      return loads$.pipe(
        selectPublications(as, release, scheduler),
        map((load): Message => {
          const header = { publisherId, sequence, publishedAt: wallClock.now() };
          sequence += 1;
          return { subject, data: encodeEnvelope(header, encodeActiveLoad(load, fields)) };
        }),
      );
    });
}
