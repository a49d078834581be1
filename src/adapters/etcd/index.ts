export type { KeyChange, KeyDelete, KeyPut, PrefixBatch } from './prefix-batch.js';
