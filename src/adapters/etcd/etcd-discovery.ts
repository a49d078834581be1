import { merge, type Observable } from 'rxjs';
import { validatedElsewhere } from '../../core/option-problems.js';
import { type SourceStatus, packageProblems } from '../../core/sources/source-status.js';
import { discoveryPrefixes } from '../../wire/discovery/discovery-keys.js';
import { foldDiscovery, type Discovery } from './discovery.js';
import { type EtcdOptions, requireEtcdOptions } from './etcd-options.js';
import { runPrefixWatch, shareWatch } from './watch-prefix.js';

/** The etcd to watch, and the part of the fleet in it. */
export interface EtcdDiscoveryOptions extends EtcdOptions {
  /** Only workers of this namespace; a nested one is written with dots (`a.b`). Defaults to all. */
  readonly namespace?: string;
}

/** The result of {@link etcdDiscovery}. */
export interface EtcdDiscovery extends Discovery {
  /** The status of the watch. */
  readonly status$: Observable<SourceStatus>;
}

/**
 * Watches the workers of a Dynamo fleet in etcd, of any release (0.4 to 1.6) or of several at once.
 *
 * 1. `configs$` emits the configs of all workers, `configs(endpoint)` those at one endpoint. A worker may have a
 *    different card at each of its endpoints, so a pool needs the latter. Only base cards count, and only the removal of
 *    a base card removes a config. {@link DiscoveryFold} has the exact rules.
 * 2. `instances(endpoint)` emits the workers that are present at an endpoint, given as `component.endpoint`,
 *    `namespace.component.endpoint`, or an object with these names.
 * 3. `pools$` emits the list of all pools whenever one is added or removed. `pool(name)` has the sources of a monitor of
 *    one model at one endpoint. A worker without a card belongs to no pool.
 * 4. These outputs and `workers$` (namespace, endpoints, model and LoRA adapters of each worker) emit a snapshot first,
 *    even an empty one, as soon as the first list is complete or at once for a late subscriber. Then they emit single
 *    changes. If history was lost, they emit one snapshot again, so that no worker flickers. A snapshot is a copy, as
 *    large as the fleet; the cost of a single change does not depend on the size.
 * 5. `problems$` emits a problem with the code `undecodable` for each key that cannot be decoded, beginning with those
 *    that exist at the moment of subscription. The last decoded value of such a key stays in force. A
 *    problem with a code of {@link PackageError} says that the package `etcd3` cannot be used. To report these
 *    problems through a monitor, pass them to it as events `{ kind: 'problem', problem }`.
 * 6. `status$` emits the status of the watch. It is `live` as soon as the keys that the user may read are complete, with a
 *    reason that names the other prefixes. A fleet of releases 1.x in one namespace needs only `v1/instances/{namespace}/`
 *    and `v1/mdc/{namespace}/`. The user need not read `models/`, where releases up to 0.5.1 keep the models of all
 *    namespaces.
 * 7. No output errors or completes. All outputs share one watch, which runs from the first subscription to the last.
 *
 * ```
 *   etcd                           put card 7      put card 7, equal  (history lost: -7, put card 8, put card 9)
 *   configs$  Map{}----------------{7: …}---------------------------Map{8, 9}-----------------------------------
 *   instances('backend.generate')  Set{}------------------------------------------------------------------------
 * ```
 *
 * @throws EtcdOptionsError for invalid options, and ScopeError for a namespace that is empty or contains a slash.
 *   `configs` and `instances` throw EndpointNameError for an invalid endpoint or one outside the namespace.
 *
 * @example
 * ```ts no-run
 * import { loadMonitor, policies } from 'tidemark';
 * import { etcdDiscovery } from 'tidemark/etcd';
 *
 * const fleet = etcdDiscovery({ hosts: 'http://127.0.0.1:2379', namespace: 'prod' });
 * const monitor = loadMonitor(
 *   {
 *     configs: fleet.configs('backend.generate'),
 *     decodeInstances: fleet.instances('backend.generate'),
 *     status: [fleet.status$],
 *   },
 *   { policy: policies.default },
 * );
 * fleet.problems$.subscribe(({ text }) => console.warn(text));
 * monitor.connect();
 * ```
 *
 * @see {@link watchPrefix} for the keys themselves
 */
export function etcdDiscovery(given: EtcdDiscoveryOptions): EtcdDiscovery {
  requireEtcdOptions('etcdDiscovery', given, { namespace: validatedElsewhere });
  const { namespace, ...options } = given;
  const run$ = runPrefixWatch({ ...options, prefixes: discoveryPrefixes(namespace), source: 'discovery' });
  // The fold keeps the state for late subscribers, so the values need not be kept.
  const watch = shareWatch(run$, { keep: false });
  const discovery = foldDiscovery(watch.changes$, namespace);
  const problems$ = merge(discovery.problems$, packageProblems(watch.status$, 'configs'));
  return { ...discovery, problems$, status$: watch.status$ };
}
