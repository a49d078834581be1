import type * as etcd3 from 'etcd3';
import { loadPackage } from '../packages/load-package.js';

/** The package that speaks to etcd. */
export type Etcd3Package = typeof etcd3;

/**
 * Loads the package `etcd3` when a connection is wanted, not before: it is an optional peer.
 *
 * @throws PackageError
 */
export async function etcd3Package(): Promise<Etcd3Package> {
  return (await loadPackage('etcd3', () => import('etcd3'))).module;
}
