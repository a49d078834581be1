import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { blake3 } from '@noble/hashes/blake3.js';
import { loadPackage } from '../../adapters/packages/load-package.js';
import { errorText } from '../../operators/error-text.js';
import type { ModelFile, ModelFiles } from '../../wire/discovery/encode-discovery-record.js';
import { CliError } from '../terminal.js';

/**
 * Reads the files of a model from a folder, with their hashes, as a model card lists them.
 *
 * @throws CliError if a file is missing or cannot be read; PackageError without BLAKE3
 */
export async function readModelFiles(folder: string): Promise<ModelFiles> {
  const sourcePath = resolve(folder);
  const blake3 = await blake3Package();
  const read = (name: string): Promise<ModelFile> => readModelFile(join(sourcePath, name), blake3);
  const generationConfig = join(sourcePath, 'generation_config.json');
  return {
    sourcePath,
    config: await read('config.json'),
    tokenizer: await read('tokenizer.json'),
    tokenizerConfig: await read('tokenizer_config.json'),
    ...(existsSync(generationConfig) && { generationConfig: await readModelFile(generationConfig, blake3) }),
  };
}

type Hash = Awaited<ReturnType<typeof blake3Package>>;

async function readModelFile(path: string, blake3: Hash): Promise<ModelFile> {
  try {
    const content = await readFile(path);
    return { path, blake3: Buffer.from(blake3(content)).toString('hex'), size: content.length };
  } catch (cause) {
    throw new CliError(
      `--model-path must be a folder with config.json, tokenizer.json and tokenizer_config.json: ${errorText(cause)}`,
      { cause },
    );
  }
}

/**
 * Loads BLAKE3, with which model cards name files, when a card names any: `@noble/hashes` is an optional peer.
 *
 * @throws PackageError
 */
export async function blake3Package(): Promise<typeof blake3> {
  return (await loadPackage('@noble/hashes', () => import('@noble/hashes/blake3.js'))).module.blake3;
}
