import { LOAD_TOPIC } from '../../wire/loads/envelope.js';
import { encodeSegment } from '../../wire/text-codecs.js';
import type { ParsedScope } from '../discovery/fleet-scope.js';
import { loadSubject } from './subjects.js';

/** The subjects of some releases: those of a namespace (up to 1.3), or those of an endpoint (from 1.4). */
export type SubjectScope = 'namespace' | 'endpoint';

/** The maximum number of parts of a nested namespace in releases that do not escape names. */
const MAX_NAMESPACE_PARTS = 3;
const ANY = '*';

/**
 * The subjects of the loads of a fleet, of all releases or of those with one kind of subject. No message matches two of
 * them.
 *
 * A namespace with white space or a wildcard of NATS cannot occur in an unescaped subject, so it has no such subject.
 */
export function loadSubjects(scope: Omit<ParsedScope, 'namespaceMatch'>, only?: SubjectScope): string[] {
  const { namespace, endpoint, prefillEndpoint } = scope;
  const namespaces = [...new Set([namespace, prefillEndpoint?.namespace ?? namespace])];
  const ofNamespaces = namespaces.includes(undefined)
    ? Array.from({ length: MAX_NAMESPACE_PARTS }, (_, level) =>
        ['namespace', ...Array<string>(level + 1).fill(ANY), LOAD_TOPIC].join('.'),
      )
    : namespaces.flatMap((name = '') => (/[\s*>]/.test(name) ? [] : [loadSubject({ namespace: name })]));
  const everyEndpoint = `namespace.${namespace === undefined ? ANY : encodeSegment(namespace)}.component.*.endpoint.*.${LOAD_TOPIC}`;
  const ofEndpoints = [
    endpoint === undefined ? everyEndpoint : loadSubject(endpoint),
    ...(prefillEndpoint === undefined ? [] : [loadSubject(prefillEndpoint)]),
  ];
  const isCovered = (subject: string): boolean =>
    endpoint === undefined &&
    (namespace === undefined || namespace === prefillEndpoint?.namespace) &&
    subject !== everyEndpoint;
  return [
    ...(only === 'endpoint' ? [] : ofNamespaces),
    ...(only === 'namespace' ? [] : [...new Set(ofEndpoints)].filter((subject) => !isCovered(subject))),
  ];
}

/** The subjects of another namespace that a scope selects, at the endpoints of the scope. */
export function loadSubjectsIn(
  namespace: string,
  { endpoint, prefillEndpoint }: ParsedScope,
  only?: SubjectScope,
): string[] {
  const there = {
    namespace,
    ...(endpoint !== undefined && { endpoint: { ...endpoint, namespace } }),
    ...(prefillEndpoint !== undefined && { prefillEndpoint: { ...prefillEndpoint, namespace } }),
  };
  return loadSubjects(there, only);
}
