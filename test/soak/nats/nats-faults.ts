import { networkFaults, someTime, type Fault } from '../network-faults.js';
import type { NatsStage } from './nats-stage.js';

/** All faults by name. */
export const natsFaults: Readonly<Record<string, Fault<NatsStage>>> = {
  ...networkFaults,
  'bytes that are not NATS protocol': async (stage) => {
    stage.begin();
    stage.proxy.inject('\x00garbage that no server says\r\n', 'toClient');
    // The client reads nothing more on this connection.
    await stage.down();
    stage.heal();
  },
  'password wrong for a while': async (stage) => {
    stage.begin();
    await stage.setPasswordValid(false);
    await stage.down();
    await someTime(stage);
    await stage.setPasswordValid(true);
    stage.heal();
  },
};
