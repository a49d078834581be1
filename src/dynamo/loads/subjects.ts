import { LOAD_TOPIC } from '../../wire/loads/envelope.js';
import { catchDecodeFailure } from '../../wire/decode-error.js';
import { type LoadScope, ScopeError, scopeWords } from '../../wire/endpoint-names.js';
import { decodeSegment, encodeSegment } from '../../wire/text-codecs.js';

// The namespace matches as few parts as possible, so parts that can be a component or an endpoint are.
const SUBJECT = /^namespace\.([^.]+(?:\.[^.]+)*?)(?:\.component\.([^.]+)(?:\.endpoint\.([^.]+))?)?\.([^.]+)$/;

/** A parsed event subject. For a wider scope, component and endpoint are absent. */
export interface ParsedSubject {
  readonly namespace: string;
  readonly component?: string;
  readonly endpoint?: string;
  readonly topic: string;
}

/**
 * The NATS subject of the events of a scope, by default of its loads.
 *
 * 1. Releases 0.4 to 1.3 publish the loads of a namespace (`namespace.<ns>.kv_metrics`) and do not escape names.
 * 2. Releases from 1.4 publish the loads of an endpoint and escape every name and the topic, see
 *    {@link encodeSegment}; they escape other scopes too.
 * 3. `escaped` selects between them and defaults to true if the scope has an endpoint. Names of letters, digits, `-`
 *    and `_` give the same subject either way.
 *
 * @throws ScopeError for an empty name, or for an endpoint without a component.
 *
 * @example
 * ```ts
 * import { loadSubject } from 'tidemark/dynamo';
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
  if (topic === '') throw new ScopeError('The topic is empty: give it a name.');
  const segment = escaped ? encodeSegment : keepAsWritten;
  return [...scopeWords(scope, segment), segment(topic)].join('.');
}

/**
 * Parses an event subject of any release. Returns `undefined` for any other subject.
 *
 * 1. The topic is the last part. The scope is read from the right: `component.<c>.endpoint.<e>` is an endpoint scope,
 *    `component.<c>` a component scope, and the rest is the namespace with its dots. A nested namespace that ends in
 *    `component.x` is therefore read as a component; releases that do not escape are ambiguous here.
 * 2. If every part is well-formed as an escaped name, all parts are unescaped; otherwise none is. So an unescaped
 *    namespace with a percent sign is read as written unless two hexadecimal digits follow the sign.
 *
 * @example
 * ```ts
 * import { parseSubject } from 'tidemark/dynamo';
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
