import { workerId } from '../../src/core/worker-id.js';

const nothing = { activeDecodeBlocks: null, activePrefillTokens: null, kvUsedBlocks: null };

/** `ActiveLoad` as real rmp-serde writes it (reference page on wire facts, §3.3). */
export const loadVectors = {
  A: {
    fields: 4,
    load: { ...nothing, workerId: workerId('7'), dpRank: 1, activeDecodeBlocks: 90 },
    hex: '84a9776f726b65725f696407a764705f72616e6b01b46163746976655f6465636f64655f626c6f636b735ab56163746976655f70726566696c6c5f746f6b656e73c0',
  },
  B: {
    fields: 4,
    load: {
      ...nothing,
      workerId: workerId('7587888657184927289'),
      dpRank: 0,
      activeDecodeBlocks: 42,
      activePrefillTokens: 1024,
    },
    hex: '84a9776f726b65725f6964cf694d988806b92e39a764705f72616e6b00b46163746976655f6465636f64655f626c6f636b732ab56163746976655f70726566696c6c5f746f6b656e73cd0400',
  },
  C: {
    fields: 5,
    load: { ...nothing, workerId: workerId('7'), dpRank: 0, kvUsedBlocks: 90 },
    hex: '85a9776f726b65725f696407a764705f72616e6b00b46163746976655f6465636f64655f626c6f636b73c0b56163746976655f70726566696c6c5f746f6b656e73c0ae6b765f757365645f626c6f636b735a',
  },
  D: {
    fields: 5,
    load: {
      ...nothing,
      workerId: workerId('1186445869714687'),
      dpRank: 0,
      activeDecodeBlocks: 12,
      activePrefillTokens: 300,
    },
    hex: '85a9776f726b65725f6964cf00043710f49c0cffa764705f72616e6b00b46163746976655f6465636f64655f626c6f636b730cb56163746976655f70726566696c6c5f746f6b656e73cd012cae6b765f757365645f626c6f636b73c0',
  },
} as const;

/** `EventEnvelope` around A, B and C. */
export const envelopeVectors = {
  EA: {
    head: { publisherId: '7', sequence: 0, publishedAt: 1700000000000 },
    payload: 'A',
    head_hex:
      '85ac7075626c69736865725f696407a873657175656e636500ac7075626c69736865645f6174cf0000018bcfe56800a5746f706963aa6b765f6d657472696373a77061796c6f6164c442',
  },
  EB: {
    head: { publisherId: '7587888657184927289', sequence: 300, publishedAt: 1700000000000 },
    payload: 'B',
    head_hex:
      '85ac7075626c69736865725f6964cf694d988806b92e39a873657175656e6365cd012cac7075626c69736865645f6174cf0000018bcfe56800a5746f706963aa6b765f6d657472696373a77061796c6f6164c44c',
  },
  EC: {
    head: { publisherId: '1186445869714687', sequence: 65536, publishedAt: 1754000000123 },
    payload: 'C',
    head_hex:
      '85ac7075626c69736865725f6964cf00043710f49c0cffa873657175656e6365ce00010000ac7075626c69736865645f6174cf00000198628c047ba5746f706963aa6b765f6d657472696373a77061796c6f6164c452',
  },
} as const;
