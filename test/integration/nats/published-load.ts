import type { ActiveLoad } from '../../../src/core/events/fleet-event.js';
import { workerId } from '../../../src/core/worker-id.js';

export const endpoint = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };
/** A load of one rank. */
export const load = (dpRank: number, activeDecodeBlocks: number): ActiveLoad => ({
  workerId: workerId('7'),
  dpRank,
  activeDecodeBlocks,
  activePrefillTokens: null,
  kvUsedBlocks: null,
});
