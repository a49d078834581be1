/**
 * What the files of a folder of `src` may import: other folders, packages, and modules of Node. An absent list forbids;
 * `npm: 'any'` allows what package.json declares.
 *
 * @typedef {{ folders?: readonly string[], npm?: readonly string[] | 'any', node?: true }} FolderRule
 */

/** What adapters may import. They do not know each other; all of them use the folders that belong to no system. */
const forAdapters = ['core', 'operators', 'wire', 'clock', 'connections', 'packages'];
const below = ['core', 'operators', 'wire', 'adapters'];

/** @type {Readonly<Record<string, FolderRule>>} */
export const folderRules = {
  operators: { npm: ['rxjs'] },
  core: { folders: ['operators'], npm: ['rxjs'] },
  wire: { folders: ['core'], npm: ['@msgpack/msgpack'] },
  // An entry point of its own for what `core` and `wire` make for speed.
  fast: { folders: ['core', 'wire'] },
  'adapters/clock': { npm: ['rxjs'], node: true },
  'adapters/connections': { folders: ['operators', 'clock'], npm: ['rxjs'], node: true },
  'adapters/packages': { folders: ['core'], node: true },
  // At most one client library in each adapter; two major versions of it have two names.
  'adapters/etcd': { folders: forAdapters, npm: ['rxjs', 'etcd3'], node: true },
  'adapters/nats': { folders: forAdapters, npm: ['rxjs', 'nats', '@nats-io/transport-node'], node: true },
  'adapters/prometheus': { folders: forAdapters, npm: ['rxjs', 'prom-client'], node: true },
  dynamo: { folders: ['core', 'operators', 'wire'], npm: ['rxjs'] },
  simulator: { folders: ['core', 'wire', 'dynamo'] },
  fleet: { folders: [...below, 'dynamo', 'simulator'], npm: ['rxjs'] },
  service: { folders: [...below, 'dynamo', 'simulator', 'fleet'], npm: 'any', node: true },
  cli: { folders: [...below, 'dynamo', 'simulator', 'fleet', 'service', 'testing'], npm: 'any', node: true },
  testing: { folders: ['operators', 'core', 'wire'], npm: ['rxjs', 'rxjs/testing'] },
};
