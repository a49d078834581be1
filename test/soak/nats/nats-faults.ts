import { networkFaults, some, type Fault } from '../network-faults.js';
import type { NatsStage } from './nats-stage.js';

/** Every fault, by its name. */
export const natsFaults: Readonly<Record<string, Fault<NatsStage>>> = {
  ...networkFaults,
  'bytes that are no NATS in between': async (stage) => {
    stage.begin();
    stage.proxy.inject('\x00garbage that no server says\r\n', 'toClient');
    // The client's reader is dead until then.
    await stage.down();
    stage.heal();
  },
  'password wrong for a while': async (stage) => {
    stage.begin();
    await stage.passwordIsRight(false);
    await stage.down();
    await some(stage);
    await stage.passwordIsRight(true);
    stage.heal();
  },
};
