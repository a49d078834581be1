import { DEMO_MODEL } from '../../simulator/simulated-worker.js';
import { numberReader, readText, wordReader, type Settings } from './setting.js';

/** The size of a simulated fleet. */
export const simulationSettings = {
  model: {
    flag: '--model <name>',
    env: 'TIDEMARK_MODEL',
    text: 'model name of the simulated fleet',
    defaultValue: DEMO_MODEL,
    read: readText,
  },
  workers: {
    flag: '--workers <n>',
    env: 'TIDEMARK_WORKERS',
    text: 'number of simulated workers',
    defaultValue: 6,
    read: numberReader(1, 10_000),
  },
  ranks: {
    flag: '--ranks <n>',
    env: 'TIDEMARK_RANKS',
    text: 'data-parallel ranks of each simulated worker',
    defaultValue: 2,
    read: numberReader(1, 64),
  },
  seed: {
    flag: '--seed <n>',
    env: 'TIDEMARK_SEED',
    text: 'seed; the same seed simulates the same loads',
    defaultValue: 1,
    read: numberReader(0, 0xffff_ffff),
  },
} satisfies Settings;

/** The settings of `tidemark simulate` itself. It ignores `DYN_NAMESPACE`, so that it stays out of a real fleet. */
export const simulateSettings = {
  simulateNamespace: {
    flag: '--namespace <name>',
    env: 'TIDEMARK_SIMULATE_NAMESPACE',
    text: 'namespace in which the simulated workers register',
    defaultValue: 'tidemark-simulation',
    read: readText,
  },
  simulateGeneration: {
    flag: '--generation <release>',
    env: 'TIDEMARK_SIMULATE_GENERATION',
    text: 'Dynamo release whose keys, subjects and bytes are used: 0.6, 1.0 or 1.6; workers of 0.6 answer scrapes and have one rank',
    defaultValue: '1.6',
    read: wordReader(['0.6', '1.0', '1.6']),
  },
  simulateTtl: {
    flag: '--ttl <seconds>',
    env: 'ETCD_LEASE_TTL',
    text: 'lease time: how long a worker stays registered after this process is killed',
    defaultValue: 10,
    read: numberReader(1, 86_400),
  },
  simulateModelPath: {
    flag: '--model-path <folder>',
    env: 'TIDEMARK_SIMULATE_MODEL_PATH',
    text: 'folder with config.json, tokenizer.json and tokenizer_config.json, so that a Dynamo frontend can serve the model',
    read: readText,
  },
} satisfies Settings;
