import { catchDecodeFailure } from '../decode-error.js';
import { type LoadScope, ScopeError, scopeWords } from '../endpoint-names.js';
import { decodeSegment, encodeSegment } from '../text-codecs.js';

/** The topic of load messages (Dynamo's `KV_METRICS_SUBJECT`), with an underscore. */
export const LOAD_TOPIC = 'kv_metrics';

// The namespace takes as few parts as it can, so what may be a component or an endpoint is one.
const SUBJECT = /^namespace\.([^.]+(?:\.[^.]+)*?)(?:\.component\.([^.]+)(?:\.endpoint\.([^.]+))?)?\.([^.]+)$/;

/** What an event subject says. The fields of a wider scope are absent. */
export interface ParsedSubject {
  readonly namespace: string;
  readonly component?: string;
  readonly endpoint?: string;
  readonly topic: string;
}

/**
 * The NATS subject of the events of a scope, by default of its load reports.
 *
 * 1. Releases 0.4 to 1.3 publish loads of a namespace (`namespace.<ns>.kv_metrics`) and insert names as they are.
 * 2. Releases from 1.4 publish loads of an endpoint and escape every name and the topic, see
 *    {@link encodeSegment}; their other scopes are escaped too.
 * 3. `escaped` says which of both; by default it is the second when the scope has an endpoint. Names of letters,
 *    digits, `-` and `_` give the same subject either way.
 *
 * @throws ScopeError for an empty name, and for an endpoint without a component.
 *
 * @example
 * ```ts
 * import { loadSubject } from 'tidemark/wire';
 *
 * console.log(loadSubject({ namespace: 'dynamo' }));
 * // Logs: namespace.dynamo.kv_metrics
 * console.log(loadSubject({ namespace: 'a.b', component: 'backend', endpoint: 'generate' }));
 * // Logs: namespace.a%2Eb.component.backend.endpoint.generate.kv_metrics
 * ```
 */
export function loadSubject(
  scope: LoadScope,
  topic: string = LOAD_TOPIC,
  { escaped = scope.endpoint != null }: { readonly escaped?: boolean } = {},
): string {
  if (topic === '') throw new ScopeError('The topic has an empty name.');
  const segment = escaped ? encodeSegment : keepAsWritten;
  return [...scopeWords(scope, segment), segment(topic)].join('.');
}

/**
 * Reads an event subject of any release; `undefined` for every other subject.
 *
 * 1. The topic is the last part. Of the parts before it the scope is read from the right: `component.<c>.endpoint.<e>`
 *    at the end makes an endpoint scope, `component.<c>` a component scope; what is left is the namespace, with
 *    its dots. So a nested namespace that itself ends in `component.x` is taken for a component: releases that
 *    do not escape make no difference there either.
 * 2. When every part is well-formed as an escaped one, all are unescaped; else all are taken as they are. So a
 *    namespace of an unescaped release that holds a percent sign is read as written unless two hexadecimal
 *    digits follow each.
 *
 * @example
 * ```ts
 * import { parseSubject } from 'tidemark/wire';
 *
 * console.log(parseSubject('namespace.a.b.kv_metrics')?.namespace);
 * // Logs: a.b
 * ```
 */
export function parseSubject(subject: string): ParsedSubject | undefined {
  const parts = SUBJECT.exec(subject)?.slice(1);
  if (parts === undefined) return undefined;
  const unescaped = catchDecodeFailure(() => parts.map((part) => part && decodeSegment(part)));
  const [namespace = '', component, endpoint, topic = ''] = 'error' in unescaped ? parts : unescaped;
  return {
    namespace,
    ...(component !== undefined && { component }),
    ...(endpoint !== undefined && { endpoint }),
    topic,
  };
}

function keepAsWritten(name: string): string {
  return name;
}
