import type { RuntimeConfig } from '../core/runtime-config.js';
import {
  field,
  MAX_U32,
  objectOf,
  optionalCount,
  requiredField,
  stringOf,
  uintOf,
  optionalString,
} from './json-fields.js';
import type { JsonObjectNode } from './json-node.js';

/** What we read of a model card, or of the model entry that releases up to 0.5.1 put beside it. */
export interface ModelCard {
  /** The model's name, `null` when the card has none. */
  readonly model: string | null;
  /** The name of the LoRA adapter that the card itself says it is of. */
  readonly lora: string | null;
  readonly runtimeConfig: RuntimeConfig;
}

/** Reads a card. A field that is not there and one that is null are the same; no field has to be there. */
export function modelCardOf(card: JsonObjectNode): ModelCard {
  const config = objectField(card, 'runtime_config');
  const lora = objectField(card, 'lora');
  return {
    model: optionalString(card, 'display_name') ?? optionalString(card, 'name'),
    lora: lora === null ? null : stringOf(requiredField(lora, 'name'), 'lora.name'),
    runtimeConfig: config === null ? {} : runtimeConfigOf(config),
  };
}

function runtimeConfigOf(config: JsonObjectNode): RuntimeConfig {
  const totalKvBlocks = optionalCount(config, 'total_kv_blocks');
  const maxNumBatchedTokens = optionalCount(config, 'max_num_batched_tokens');
  const dataParallelStartRank = optionalU32(config, 'data_parallel_start_rank');
  const dataParallelSize = optionalU32(config, 'data_parallel_size');
  return {
    ...(totalKvBlocks !== null && { totalKvBlocks }),
    ...(maxNumBatchedTokens !== null && { maxNumBatchedTokens }),
    ...(dataParallelStartRank !== null && { dataParallelStartRank }),
    ...(dataParallelSize !== null && { dataParallelSize }),
  };
}

function optionalU32(object: JsonObjectNode, name: string): number | null {
  const node = field(object, name);
  return node === undefined || node.kind === 'null' ? null : Number(uintOf(node, name, MAX_U32));
}

function objectField(object: JsonObjectNode, name: string): JsonObjectNode | null {
  const node = field(object, name);
  return node === undefined || node.kind === 'null' ? null : objectOf(node, name);
}
