import type { EtcdOptions } from '../../adapters/etcd/etcd-options.js';
import type { NatsOptions } from '../../adapters/nats/nats-options.js';
import { discoveryPrefixes } from '../../dynamo/discovery/discovery-keys.js';
import { parseEndpointIn } from '../../dynamo/discovery/fleet-scope.js';
import { type NamespaceMatch, namespaceMatches } from '../../dynamo/discovery/namespaces.js';
import { parseEndpoint } from '../../wire/endpoint-names.js';
import { CliError } from '../terminal.js';
import { type etcdSettings, type natsSettings, etcdOptions, natsOptions } from './connection-settings.js';
import { aSwitch, aText, aWord, declare, makeAll, present, type ValuesOf } from './setting.js';

/** Which workers of a live fleet to watch. */
export const fleetSettings = declare({
  namespace: {
    ...aText('<name>'),
    env: 'DYN_NAMESPACE_PREFIX',
    fallbackEnv: 'DYN_NAMESPACE',
    text: 'watch only this namespace and its generations',
  },
  namespaceMatch: {
    ...aWord('<how>', namespaceMatches),
    defaultValue: 'generations',
    text: `namespaces that the name selects: ${namespaceMatches.join(', ')}`,
  },
  endpoint: {
    ...aText('<name>'),
    text: 'watch only the workers of this endpoint: component.endpoint, or namespace.component.endpoint',
  },
  prefillEndpoint: { ...aText('<name>'), text: 'endpoint of the prefill workers of a disaggregated fleet' },
  scrape: {
    ...aSwitch,
    text: 'poll the workers of the endpoint for their load (Dynamo up to 0.6)',
  },
});

const namespaceTexts: Readonly<Record<NamespaceMatch, (namespace: string) => string>> = {
  generations: (namespace) => `namespace ${namespace} and its generations`,
  exact: (namespace) => `namespace ${namespace} alone`,
  prefix: (namespace) => `every namespace that begins with ${namespace}`,
};

/** A live fleet as options of the library, and as a text for people. */
export interface ChosenFleet {
  readonly options: {
    readonly nats: NatsOptions;
    readonly etcd: EtcdOptions;
    readonly namespace?: string;
    readonly namespaceMatch?: NamespaceMatch;
    readonly endpoint?: string;
    readonly prefillEndpoint?: string;
    /** Whether the workers are polled for their load. Needs `endpoint`. */
    readonly scrape?: boolean;
  };
  readonly text: string;
}

/**
 * The live fleet that the settings choose.
 *
 * @throws SettingsError for connections and names that are not valid, and for scrapes without an endpoint
 */
export function chosenFleet(
  settings: ValuesOf<typeof natsSettings & typeof etcdSettings & typeof fleetSettings>,
): ChosenFleet {
  const { namespace, namespaceMatch, endpoint, prefillEndpoint, scrape } = settings;
  const { nats, etcd } = makeAll({
    nats: () => natsOptions(settings),
    etcd: () => etcdOptions(settings),
    namespace: () => discoveryPrefixes(namespace),
    namespaceMatch: () => {
      if (namespaceMatch !== 'generations' && namespace === undefined && endpoint === undefined)
        throw new CliError('namespace-match needs a namespace: set it, as in --namespace prod.');
    },
    endpoint: () => endpoint === undefined || parseEndpointIn({ namespace, namespaceMatch }, endpoint),
    prefillEndpoint: () => prefillEndpoint === undefined || parseEndpoint(prefillEndpoint, namespace),
    scrape: () => {
      if (scrape && endpoint === undefined)
        throw new CliError('scrape needs an endpoint to poll: set it, as in --endpoint backend.generate.');
    },
  });
  const parts = [
    namespace === undefined ? 'every namespace' : namespaceTexts[namespaceMatch](namespace),
    endpoint === undefined ? 'every endpoint' : `endpoint ${endpoint}`,
    ...(prefillEndpoint === undefined ? [] : [`prefill endpoint ${prefillEndpoint}`]),
  ];
  const chosen = present({
    namespace,
    namespaceMatch: namespaceMatch === 'generations' ? undefined : namespaceMatch,
    endpoint,
    prefillEndpoint,
    scrape: scrape || undefined,
  });
  return { options: { nats, etcd, ...chosen }, text: parts.join(', ') };
}
