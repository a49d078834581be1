import type { EndpointName } from '../../core/sources/worker-info.js';
import { LOAD_TOPIC, loadSubject } from '../../wire/loads/subjects.js';
import { encodeSegment } from '../../wire/text-codecs.js';

/** Whose loads to listen to. */
export interface LoadSubjectScope {
  /** Absent: every namespace. */
  readonly namespace?: string | undefined;
  /** Absent: every endpoint. */
  readonly endpoint?: EndpointName | undefined;
  /** Only what this generation publishes on: a `namespace` (up to 1.3) or an `endpoint` (from 1.4). */
  readonly only?: 'namespace' | 'endpoint' | undefined;
}

/** Nested namespaces of releases that do not escape have one part more for each level: so many are listened to. */
const LEVELS = 3;
const ANY = '*';

/**
 * The subjects on which loads come, of all generations at once. No message comes on two of them.
 *
 * A name that NATS itself would take for a wildcard or for an end cannot be in the subject of a release that does not
 * escape, and is left out there.
 */
export function loadSubjects({ namespace, endpoint, only }: LoadSubjectScope): string[] {
  const ofNamespace =
    namespace === undefined
      ? Array.from({ length: LEVELS }, (_, level) =>
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
