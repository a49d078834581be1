import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const words = ['<unk>', '<s>', '</s>', 'user', 'assistant', 'system', 'hello', 'world', '.'];

/** Creates the folder of a model without weights: the files that a frontend reads, with a vocabulary of nine words. */
export async function makeModelFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const vocabulary = Object.fromEntries(words.map((word, id) => [word, id]));
  const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const files = {
    'config.json': {
      ...{ architectures: ['LlamaForCausalLM'], model_type: 'llama', torch_dtype: 'bfloat16' },
      ...{ bos_token_id: 1, eos_token_id: 2, vocab_size: words.length, max_position_embeddings: 4096 },
      ...{ hidden_size: 16, intermediate_size: 32, num_hidden_layers: 2 },
      ...{ num_attention_heads: 2, num_key_value_heads: 2 },
    },
    'generation_config.json': { bos_token_id: 1, eos_token_id: 2 },
    'tokenizer_config.json': {
      ...{ tokenizer_class: 'PreTrainedTokenizerFast', model_max_length: 4096 },
      ...{ unk_token: '<unk>', bos_token: '<s>', eos_token: '</s>' },
      chat_template:
        "{% for message in messages %}{{ message['role'] }} {{ message['content'] }} {% endfor %}",
    },
    'tokenizer.json': {
      ...{ version: '1.0', truncation: null, padding: null, normalizer: null },
      ...{ post_processor: null, decoder: null, pre_tokenizer: { type: 'Whitespace' } },
      added_tokens: words.slice(0, 3).map((content, id) => ({ id, content, ...special })),
      model: { type: 'WordLevel', vocab: vocabulary, unk_token: '<unk>' },
    },
  };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), JSON.stringify(content));
  return folder;
}
