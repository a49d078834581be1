import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readModelFiles } from '../../../src/cli/live/read-model-files.js';
import { CliError } from '../../../src/cli/terminal.js';

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-model-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

describe('readModelFiles', () => {
  it('lists each file with its hash and size', async () => {
    const folder = await folderOf({
      'config.json': '',
      'tokenizer.json': 'abc',
      'tokenizer_config.json': '',
    });
    // From BLAKE3's test vectors; for "abc", from its reference implementation.
    const empty = 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262';
    const abc = '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85';
    expect(await readModelFiles(folder)).toEqual({
      sourcePath: folder,
      config: { path: join(folder, 'config.json'), blake3: empty, size: 0 },
      tokenizer: { path: join(folder, 'tokenizer.json'), blake3: abc, size: 3 },
      tokenizerConfig: { path: join(folder, 'tokenizer_config.json'), blake3: empty, size: 0 },
    });
  });

  it('lists generation_config.json if it exists', async () => {
    const names = ['config', 'tokenizer', 'tokenizer_config', 'generation_config'];
    const folder = await folderOf(Object.fromEntries(names.map((name) => [`${name}.json`, '{}'])));
    expect((await readModelFiles(folder)).generationConfig).toMatchObject({ size: 2 });
  });

  it('reports the missing file and what the folder must contain', async () => {
    const folder = await folderOf({ 'config.json': '{}', 'tokenizer_config.json': '{}' });
    const read = readModelFiles(folder);
    await expect(read).rejects.toThrow(CliError);
    await expect(read).rejects.toThrow(/--model-path must be .* with config\.json.*tokenizer\.json'/);
  });
});
