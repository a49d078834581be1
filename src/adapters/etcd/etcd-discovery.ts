import type { Observable } from 'rxjs';
import type { SourceStatus } from '../../core/sources/source-status.js';
import { discoveryPrefixes } from '../../wire/discovery/discovery-keys.js';
import { foldDiscovery, type Discovery } from './discovery.js';
import type { EtcdOptions } from './etcd-options.js';
import { runPrefixWatch, shareWatch } from './watch-prefix.js';

/** Which etcd, and which part of a fleet in it. */
export interface EtcdDiscoveryOptions extends EtcdOptions {
  /** The one whose workers are wanted, nested ones with dots (`a.b`); absent: all. */
  readonly namespace?: string;
}

/** What {@link etcdDiscovery} returns: the sources of a monitor, and what else the keys say. */
export interface EtcdDiscovery extends Discovery {
  readonly status$: Observable<SourceStatus>;
}

/**
 * The workers of a Dynamo fleet as etcd knows them, of any release (0.4 to 1.6) and of several at once.
 *
 * 1. `configs$` gives the configuration of every worker, `configs(endpoint)` those of the cards at one endpoint:
 *    one id may serve two endpoints with two cards, so a pool takes the second. Only base cards count, and only the
 *    removal of a base card removes a configuration; LoRA cards change neither. {@link DiscoveryFold} has the rules.
 * 2. `instances(endpoint)` gives who is present at an endpoint. The endpoint is `component.endpoint`,
 *    `namespace.component.endpoint`, or an object with these names.
 * 3. `pools$` gives which models are served where, as a whole each time one comes or goes; `pool(name)` what of it a
 *    monitor of one model at one endpoint takes. A worker without a card is in no pool.
 * 4. These and `workers$` (namespace, endpoints, model, adapters by worker) begin with the whole, for a late
 *    subscriber too and also when it is empty, as soon as etcd's first list is complete. Then they give single
 *    changes, and nothing when nothing changed. What was missed while history was lost comes as one whole again, so
 *    that no worker flickers. Each whole is a copy, as large as the fleet; a single change costs the same at any size.
 * 5. `problems$` gives, with code `undecodable`, each key that cannot be read or whose value cannot, beginning with
 *    those that are there now. The worker keeps the last value that could. A monitor tells them as its own when they
 *    come as events `{ kind: 'problem', problem }`.
 * 6. `status$` is that of the watch. No output errors or completes. All outputs share one run of the watch below
 *    the prefixes that are needed; nothing happens before the first subscription, and nothing after the last.
 *
 * ```
 *   etcd                           put card 7      put card 7, equal  (history lost: -7, put card 8, put card 9)
 *   configs$  Map{}----------------{7: …}---------------------------Map{8, 9}-----------------------------------
 *   instances('backend.generate')  Set{}------------------------------------------------------------------------
 * ```
 *
 * @throws EtcdOptionsError for options that cannot be followed, ScopeError for a namespace that is empty or holds a
 *   slash, and EndpointNameError, from `configs` and `instances`, for what names no endpoint that is watched.
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
export function etcdDiscovery({ namespace, ...options }: EtcdDiscoveryOptions): EtcdDiscovery {
  const run$ = runPrefixWatch({ ...options, prefixes: discoveryPrefixes(namespace), source: 'discovery' });
  // The fold keeps what a late subscriber needs, and not the values.
  const watch = shareWatch(run$, { keep: false });
  return { ...foldDiscovery(watch.changes$, namespace), status$: watch.status$ };
}
