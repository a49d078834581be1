/** One file of a model, as a card names it. */
export interface ModelFile {
  /** Where it lies, for whoever reads the card. */
  readonly path: string;
  /** The BLAKE3 hash of its content in hexadecimal: Dynamo 1.6 refuses a card whose files have others. */
  readonly blake3: string;
  /** Bytes. */
  readonly size: number;
}

/** The files that a card names so that a frontend can read prompts for the model, in the layout of Hugging Face. */
export interface ModelFiles {
  /** The folder. */
  readonly sourcePath: string;
  /** `config.json`. */
  readonly config: ModelFile;
  /** `tokenizer.json`. */
  readonly tokenizer: ModelFile;
  /** `tokenizer_config.json`, which has the chat template. */
  readonly tokenizerConfig: ModelFile;
  /** `generation_config.json`. */
  readonly generationConfig?: ModelFile;
}

/** The fields of a card that name files, from `source_path` on; without files those that must be there, as null. */
export function modelFilesText(files: ModelFiles | undefined, release: '1.0' | '1.6'): string {
  if (files === undefined) return '"model_info":null,"tokenizer":null';
  const one = (kind: string, { path, blake3, size }: ModelFile): string =>
    `{"${kind}":{"path":${JSON.stringify(path)},"checksum":"blake3:${blake3}"` +
    `${release === '1.6' ? `,"size":${size}` : ''}}}`;
  const { sourcePath, config, tokenizer, tokenizerConfig, generationConfig } = files;
  return (
    `"source_path":${JSON.stringify(sourcePath)},"model_info":${one('hf_config_json', config)}` +
    `,"tokenizer":${one('hf_tokenizer_json', tokenizer)}` +
    `,"prompt_formatter":${one('hf_tokenizer_config_json', tokenizerConfig)}` +
    `${generationConfig ? `,"gen_config":${one('hf_generation_config_json', generationConfig)}` : ''}`
  );
}
