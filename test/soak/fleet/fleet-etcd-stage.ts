import { eventually } from '../../support/eventually.js';
import type { SourceListener } from '../source-listener.js';
import { EtcdStage } from '../etcd/etcd-stage.js';

/** An etcd stage that also waits for the discovery status of a fleet's monitor. */
export class FleetEtcdStage extends EtcdStage {
  constructor(
    readonly discovery: SourceListener,
    ...others: ConstructorParameters<typeof EtcdStage>
  ) {
    super(...others);
  }

  /** A fault between two connections causes no new status, because the source is already down. */
  override async down(): Promise<void> {
    await super.down();
    const isNewDown = ({ state, at }: { state: string; at: number }): boolean =>
      state === 'down' && at >= this.began;
    await eventually(() => !this.discovery.live || this.discovery.statuses.some(isNewDown), 30_000);
  }

  override async steady(): Promise<void> {
    await super.steady();
    await eventually(() => this.discovery.steady, 30_000);
  }
}
