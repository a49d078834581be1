import { map, of, type Observable } from 'rxjs';
import { etcdDiscovery, type EtcdDiscovery } from '../adapters/etcd/etcd-discovery.js';
import { type EtcdOptions, toEtcdOptions } from '../adapters/etcd/etcd-options.js';
import { TidemarkError } from '../core/errors.js';
import { type OptionRule, optionProblems, validatedElsewhere } from '../core/option-problems.js';
import type { ConfigChange, InstanceChange } from '../core/pipeline/monitor-sources.js';
import type { Problem } from '../core/sources/problem.js';
import type { SourceStatus } from '../core/sources/source-status.js';
import type { EndpointName, WorkerChange } from '../core/sources/worker-info.js';
import type { EndpointLike } from '../wire/endpoint-names.js';

/** Which workers to take from etcd. */
export interface FleetScope {
  /** The hosts and credentials of etcd; a string is a comma-separated list of hosts. */
  readonly etcd: string | EtcdOptions;
  /** Absent: every namespace. */
  readonly namespace?: string;
  /** The endpoint of the prefill workers of a disaggregated fleet, if it has one. */
  readonly prefillEndpoint?: EndpointLike;
}

/** The options of {@link FleetScope}, which have errors of their own. */
export const scopeRules = {
  etcd: validatedElsewhere,
  namespace: validatedElsewhere,
  prefillEndpoint: validatedElsewhere,
};

/** @throws TidemarkError, code `fleet-options`, for options that do not exist, and for no options at all */
export function requireFleetOptions(
  of: string,
  given: object,
  rules: Readonly<Record<string, OptionRule>>,
): void {
  const problems = optionProblems(of, given, rules);
  if (problems.length > 0) throw new TidemarkError('fleet-options', `${problems.join('; ')}.`);
}

/** The fleet in etcd, as sources of a monitor. */
export interface DiscoverySources {
  readonly sources: {
    readonly configs: Observable<ConfigChange>;
    readonly decodeInstances: Observable<InstanceChange>;
    readonly prefillInstances?: Observable<Observable<InstanceChange>>;
  };
  readonly problems$: Observable<Problem>;
  readonly status$: Observable<SourceStatus>;
  readonly workers$: Observable<WorkerChange>;
}

/** The workers of one endpoint; `null` for all workers, each under its id. */
export function discoverySources(scope: FleetScope, endpoint: EndpointName | null): DiscoverySources {
  const { namespace, prefillEndpoint } = scope;
  const fleet = etcdDiscovery({
    ...toEtcdOptions(scope.etcd),
    ...(namespace !== undefined && { namespace }),
  });
  return {
    sources: {
      configs: endpoint === null ? fleet.configs$ : fleet.configs(endpoint),
      decodeInstances: endpoint === null ? allInstances(fleet) : fleet.instances(endpoint),
      ...(prefillEndpoint !== undefined && { prefillInstances: of(fleet.instances(prefillEndpoint)) }),
    },
    problems$: fleet.problems$,
    status$: fleet.status$,
    workers$: fleet.workers$,
  };
}

function allInstances({ workers$ }: EtcdDiscovery): Observable<InstanceChange> {
  return workers$.pipe(
    map((change) =>
      'workerId' in change
        ? { workerId: change.workerId, present: change.info !== null }
        : new Set(change.keys()),
    ),
  );
}
