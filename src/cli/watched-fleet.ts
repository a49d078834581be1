import type { DynamoSourcesOptions } from '../dynamo/dynamo-sources.js';
import { liveAccess } from './live-access.js';
import type { LiveOptions } from './live-options.js';

/** The options of the commands that watch a live fleet. */
export interface WatchedFleetOptions extends LiveOptions {
  readonly endpoint?: string;
  readonly prefillEndpoint?: string;
}

/** Which fleet, and which part of it, in the words of the library; and in a sentence. */
export function watchedFleet(options: WatchedFleetOptions): {
  readonly sources: Omit<DynamoSourcesOptions, 'form'>;
  readonly text: string;
} {
  const { nats, etcd } = liveAccess(options, process.env);
  const { endpoint, prefillEndpoint } = options;
  // A variable that is set to nothing is none.
  const namespace = options.namespace === '' ? undefined : options.namespace;
  const parts = [
    namespace === undefined ? 'every namespace' : `namespace ${namespace}`,
    endpoint === undefined ? 'every endpoint' : `endpoint ${endpoint}`,
    ...(prefillEndpoint === undefined ? [] : [`prefill endpoint ${prefillEndpoint}`]),
  ];
  return {
    sources: {
      nats,
      etcd,
      ...(namespace !== undefined && { namespace }),
      ...(endpoint !== undefined && { endpoint }),
      ...(prefillEndpoint !== undefined && { prefillEndpoint }),
    },
    text: parts.join(', '),
  };
}
