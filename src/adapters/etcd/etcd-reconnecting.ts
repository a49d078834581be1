import type { Reconnecting } from '../../operators/reconnecting.js';
import { monotonicScheduler } from '../clock/monotonic-scheduler.js';
import { etcdHosts, type EtcdHost } from './etcd-host.js';
import type { EtcdOptions } from './etcd-options.js';

const LONGEST_RETRY_MS = 2_000;

/**
 * How every connection to etcd is tried again.
 *
 * @throws EtcdOptionsError with everything that is wrong.
 */
export function etcdReconnecting(options: EtcdOptions): Reconnecting<EtcdHost> {
  return {
    hosts: etcdHosts(options),
    longestRetryMs: LONGEST_RETRY_MS,
    scheduler: options.scheduler ?? monotonicScheduler,
    random: Math.random,
  };
}
