import type { RuntimeConfig } from '../../core/events/fleet-event.js';
import type { EndpointName, WorkerRole } from '../../core/sources/worker-info.js';
import type { WorkerId } from '../../core/worker-id.js';
import type { InstanceTransport } from './discovery-values.js';
import { encodeUtf8, toSlug } from '../text-codecs.js';

/** A worker at an endpoint, as its keys name it. */
export interface EndpointAddress extends EndpointName {
  readonly instanceId: WorkerId;
}

/** One file of a model, as listed in a model card. */
export interface ModelFile {
  /** The path as the reader of the card sees it. */
  readonly path: string;
  /** The BLAKE3 hash of its content, in hexadecimal. Dynamo 1.6 rejects a card if a hash does not match. */
  readonly blake3: string;
  /** In bytes. */
  readonly size: number;
}

/** The files that a frontend needs to tokenize prompts for the model, in the layout of Hugging Face. */
export interface ModelFiles {
  /** The folder. */
  readonly sourcePath: string;
  /** `config.json`. */
  readonly config: ModelFile;
  /** `tokenizer.json`. */
  readonly tokenizer: ModelFile;
  /** `tokenizer_config.json`, which contains the chat template. */
  readonly tokenizerConfig: ModelFile;
  /** `generation_config.json`. */
  readonly generationConfig?: ModelFile;
}

/** The fields of a card that name files. Without files, the required fields are null. */
function modelFilesText(files: ModelFiles | undefined, release: '0.6' | '1.0' | '1.6'): string {
  if (files === undefined) return '"model_info":null,"tokenizer":null';
  const fileText = (kind: string, { path, blake3, size }: ModelFile): string =>
    `{"${kind}":{"path":${JSON.stringify(path)},"checksum":"blake3:${blake3}"` +
    `${release === '1.6' ? `,"size":${size}` : ''}}}`;
  const { sourcePath, config, tokenizer, tokenizerConfig, generationConfig } = files;
  return (
    `${release === '0.6' ? '' : `"source_path":${JSON.stringify(sourcePath)},`}"model_info":${fileText('hf_config_json', config)}` +
    `,"tokenizer":${fileText('hf_tokenizer_json', tokenizer)}` +
    `,"prompt_formatter":${fileText('hf_tokenizer_config_json', tokenizerConfig)}` +
    `${generationConfig ? `,"gen_config":${fileText('hf_generation_config_json', generationConfig)}` : ''}`
  );
}

/** The release whose layout to write. 1.6 has fields that 1.0 lacks; 0.6 does not wrap cards and has no ranks. */
export interface RecordLayout {
  readonly release: '0.6' | '1.0' | '1.6';
}

/**
 * Encodes the value of an instance key as a worker of that release writes it, with the id as a JSON number.
 *
 * @example
 * ```ts
 * import { workerId } from 'tidemark';
 * import { encodeInstanceRecord } from 'tidemark/wire';
 *
 * const at = { namespace: 'dynamo', component: 'backend', endpoint: 'generate', instanceId: workerId('7') };
 * const transport = { kind: 'tcp', address: '10.0.0.5:41000/7/generate' } as const;
 * const bytes = encodeInstanceRecord({ ...at, transport }, { release: '1.0' });
 * console.log(new TextDecoder().decode(bytes).slice(0, 40));
 * // Logs: {"type":"Endpoint","component":"backend"
 * ```
 */
export function encodeInstanceRecord(
  instance: EndpointAddress & { readonly transport: InstanceTransport },
  { release }: RecordLayout,
): Uint8Array {
  const { transport } = instance;
  if (release === '0.6') return encodeUtf8(instanceTextBefore10(instance));
  return encodeUtf8(
    `{"type":"Endpoint","component":${quote(instance.component)},"endpoint":${quote(instance.endpoint)}` +
      `,"namespace":${quote(instance.namespace)},"instance_id":${instance.instanceId}` +
      `,"transport":{${quote(transport.kind)}:${quote(transport.address)}}` +
      `${release === '1.6' ? ',"device_type":"cuda","request_plane_codec":"msgpack"' : ''}}`,
  );
}

/**
 * Encodes the value of a model card key as a worker of that release writes it, with the id and the counts as JSON
 * numbers. The card has the fields that Dynamo requires and those that tidemark reads. With `lora` it is the card of
 * that adapter. Without `files` a frontend sees the worker but does not serve its model, because it has no tokenizer.
 */
export function encodeModelRecord(
  card: EndpointAddress & {
    readonly model: string;
    /** What the worker does; `aggregated` when absent. */
    readonly role?: WorkerRole | undefined;
    readonly lora?: string | null;
    readonly files?: ModelFiles;
    /** Anything that the worker says about itself. Dynamo keeps it and does not read it. */
    readonly userData?: Readonly<Record<string, string>>;
    readonly runtimeConfig: RuntimeConfig;
  },
  { release }: RecordLayout,
): Uint8Array {
  const { role = 'aggregated' } = card;
  const lora = card.lora ?? null;
  const beginning =
    `{"display_name":${quote(card.model)},"slug":${quote(toSlug(card.model))},${modelFilesText(card.files, release)}` +
    `${release === '1.6' ? ',"architectural_max_context_length":4096' : ''},"context_length":4096,"kv_cache_block_size":16,"migration_limit":0` +
    `,"model_type":${quote(role === 'prefill' ? PREFILL_MODEL_TYPE[release] : 'Chat | Completions')},"model_input":"Tokens"` +
    `${card.userData === undefined ? '' : `,"user_data":${JSON.stringify(card.userData)}`}`;
  if (release === '0.6')
    return encodeUtf8(`${beginning},"runtime_config":${sizesText(card.runtimeConfig)}}}`);
  return encodeUtf8(
    `{"type":"Model","namespace":${quote(card.namespace)},"component":${quote(card.component)}` +
      `,"endpoint":${quote(card.endpoint)},"instance_id":${card.instanceId},"card_json":${beginning}` +
      `${release === '1.6' ? `,"worker_type":"${role}","needs":${JSON.stringify(NEEDS[role])}` : ''}` +
      `${lora === null ? '' : `,"lora":{"name":${quote(lora)}}`}` +
      `,"runtime_config":${runtimeConfigText(card.runtimeConfig, release)}` +
      `,"media_decoder":null,"media_fetcher":null}${lora === null ? '' : `,"model_suffix":${quote(toSlug(lora))}`}}`,
  );
}

/** The `model_type` of a prefill worker. */
const PREFILL_MODEL_TYPE = { '0.6': 'Prefill', '1.0': 'Prefill', '1.6': '' } as const;

/** The worker types that a worker needs, as an OR of ANDs. */
const NEEDS: Readonly<Record<WorkerRole, readonly (readonly WorkerRole[])[]>> = {
  aggregated: [],
  decode: [['prefill']],
  prefill: [['decode']],
  encode: [],
};

function runtimeConfigText(config: RuntimeConfig, release: RecordLayout['release']): string {
  const newer = release === '1.6';
  return (
    `${sizesText(config)}${newer ? ',"tool_call_arguments_format":"json_string","structural_tag_mode":"off","structural_tag_scope":"auto"' : ''}` +
    `${newer ? ',"structural_tag_schema":"auto","exclude_tools_when_tool_choice_none":true' : ''}` +
    `,"data_parallel_start_rank":${config.dataParallelStartRank ?? 0}` +
    `,"data_parallel_size":${config.dataParallelSize ?? 1}` +
    `,"enable_local_indexer":true${newer ? ',"enable_eagle":false' : ''}}`
  );
}

/** The first fields of a runtime config; in 0.6 these are all. */
function sizesText(config: RuntimeConfig): string {
  return (
    `{"total_kv_blocks":${config.totalKvBlocks ?? null},"max_num_seqs":null` +
    `,"max_num_batched_tokens":${config.maxNumBatchedTokens ?? null}` +
    `,"tool_call_parser":null,"reasoning_parser":null`
  );
}

function instanceTextBefore10(instance: EndpointAddress & { readonly transport: InstanceTransport }): string {
  const { component, endpoint, namespace, instanceId, transport } = instance;
  return (
    `{\n  "component": ${quote(component)},\n  "endpoint": ${quote(endpoint)},\n  "namespace": ${quote(namespace)}` +
    `,\n  "instance_id": ${instanceId},\n  "transport": {\n    ${quote(transport.kind)}: ${quote(transport.address)}\n  }\n}`
  );
}

function quote(value: string): string {
  return JSON.stringify(value);
}
