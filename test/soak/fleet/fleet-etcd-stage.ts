import { eventually } from '../../support/eventually.js';
import type { Ear } from '../ear.js';
import { EtcdStage } from '../etcd/etcd-stage.js';

/** Where what a fleet's monitor says of its discovery is waited for as well. */
export class FleetEtcdStage extends EtcdStage {
  constructor(
    readonly discovery: Ear,
    ...others: ConstructorParameters<typeof EtcdStage>
  ) {
    super(...others);
  }

  /** A fault that meets it between two connections is not noticed: it has said so before. */
  override async down(): Promise<void> {
    await super.down();
    const saysSo = ({ state, at }: { state: string; at: number }): boolean =>
      state === 'down' && at >= this.began;
    await eventually(() => !this.discovery.live || this.discovery.statuses.some(saysSo), 30_000);
  }

  override async steady(): Promise<void> {
    await super.steady();
    await eventually(() => this.discovery.steady, 30_000);
  }
}
