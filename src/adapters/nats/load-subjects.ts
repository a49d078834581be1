import type { EndpointName } from '../../core/sources/worker-info.js';
import { LOAD_TOPIC, loadSubject } from '../../wire/loads/subjects.js';
import { encodeSegment } from '../../wire/text-codecs.js';

/** The scope of the loads to subscribe to. */
export interface LoadSubjectScope {
  /** Defaults to all namespaces. */
  readonly namespace?: string | undefined;
  /** Defaults to all endpoints. */
  readonly endpoint?: EndpointName | undefined;
  /** Only the subjects of some releases: those of a `namespace` (up to 1.3) or of an `endpoint` (from 1.4). */
  readonly only?: 'namespace' | 'endpoint' | undefined;
}

/** The maximum number of parts of a nested namespace in releases that do not escape names. */
const MAX_NAMESPACE_PARTS = 3;
const ANY = '*';

/**
 * The subjects of loads of all releases. No message matches two of them.
 *
 * A namespace with white space or a wildcard of NATS cannot occur in an unescaped subject, so it has no such subject.
 */
export function loadSubjects({ namespace, endpoint, only }: LoadSubjectScope): string[] {
  const ofNamespace =
    namespace === undefined
      ? Array.from({ length: MAX_NAMESPACE_PARTS }, (_, level) =>
          ['namespace', ...Array<string>(level + 1).fill(ANY), LOAD_TOPIC].join('.'),
        )
      : /[\s*>]/.test(namespace)
        ? []
        : [loadSubject({ namespace })];
  const ofEndpoint =
    endpoint === undefined
      ? `namespace.${namespace === undefined ? ANY : encodeSegment(namespace)}.component.*.endpoint.*.${LOAD_TOPIC}`
      : loadSubject(endpoint);
  return [...(only === 'endpoint' ? [] : ofNamespace), ...(only === 'namespace' ? [] : [ofEndpoint])];
}
