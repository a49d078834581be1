import type * as etcd3 from 'etcd3';
import { EtcdTrouble } from './etcd-trouble.js';

/** The package that speaks to etcd. */
export type Etcd3Package = typeof etcd3;

/**
 * Loads the package `etcd3` when a connection is wanted, not before: it is an optional peer.
 *
 * @throws EtcdTrouble, code `etcd-package`, that says what to install.
 */
export async function etcd3Package(): Promise<Etcd3Package> {
  try {
    return await import('etcd3');
  } catch (cause) {
    throw new EtcdTrouble('etcd-package', 'The package etcd3 is not installed: npm install etcd3', { cause });
  }
}
