import { TidemarkError } from '../../core/tidemark-error.js';

/** Options that cannot be followed. `problems` lists everything that is wrong with them. */
export class EtcdOptionsError extends TidemarkError {
  override readonly name = 'EtcdOptionsError';

  constructor(readonly problems: readonly string[]) {
    super('etcd-options', `${problems.join('; ')}.`);
  }
}
