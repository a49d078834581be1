import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { blake3 } from '@noble/hashes/blake3';
import { errorText } from '../../operators/error-text.js';
import type { ModelFile, ModelFiles } from '../../wire/discovery/encode-discovery-record.js';
import { CliError } from '../terminal.js';

/**
 * The files of a model in a folder, with their hashes, as a card names them.
 *
 * @throws CliError for a file that is missing or cannot be read
 */
export async function readModelFiles(folder: string): Promise<ModelFiles> {
  const sourcePath = resolve(folder);
  const read = (name: string): Promise<ModelFile> => readModelFile(join(sourcePath, name));
  const generationConfig = join(sourcePath, 'generation_config.json');
  return {
    sourcePath,
    config: await read('config.json'),
    tokenizer: await read('tokenizer.json'),
    tokenizerConfig: await read('tokenizer_config.json'),
    ...(existsSync(generationConfig) && { generationConfig: await readModelFile(generationConfig) }),
  };
}

async function readModelFile(path: string): Promise<ModelFile> {
  try {
    const content = await readFile(path);
    return { path, blake3: Buffer.from(blake3(content)).toString('hex'), size: content.length };
  } catch (cause) {
    throw new CliError(
      `--model-path takes the folder of a model with config.json, tokenizer.json and tokenizer_config.json: ${errorText(cause)}`,
      { cause },
    );
  }
}
