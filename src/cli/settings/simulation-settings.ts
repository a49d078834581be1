import { plural } from '../../core/number-text.js';
import { DEMO_MODEL, SIMULATION_NAMESPACE } from '../../simulator/simulated-worker.js';
import { type ValuesOf, aNumber, aSwitch, aText, aWord, declare } from './setting.js';

/** The size of a simulated fleet. */
export const simulationSettings = declare({
  model: { ...aText('<name>'), defaultValue: DEMO_MODEL, text: 'model name of the simulated fleet' },
  workers: { ...aNumber('<n>', 1, 10_000), defaultValue: 6, text: 'number of simulated workers' },
  prefillWorkers: {
    ...aNumber('<n>', 0, 10_000),
    defaultValue: 0,
    text: 'number of simulated prefill workers, at the endpoint prefill.generate; the other workers then only decode',
  },
  ranks: { ...aNumber('<n>', 1, 64), defaultValue: 2, text: 'data-parallel ranks of each simulated worker' },
  seed: {
    ...aNumber('<n>', 0, 0xffff_ffff),
    defaultValue: 1,
    text: 'seed; the same seed simulates the same loads',
  },
});

/** The workers of a simulated fleet in words, for people. */
export function simulatedWorkersText({
  workers,
  prefillWorkers,
}: Pick<ValuesOf<typeof simulationSettings>, 'workers' | 'prefillWorkers'>): string {
  const prefill = prefillWorkers === 0 ? '' : ` and ${plural(prefillWorkers, 'prefill worker')}`;
  return `${plural(workers, 'worker')}${prefill}`;
}

/** The settings of `tidemark simulate` itself. It ignores `DYN_NAMESPACE`, so that it stays out of a real fleet. */
export const simulateSettings = declare({
  simulateNamespace: {
    ...aText('<name>'),
    flag: '--namespace',
    defaultValue: SIMULATION_NAMESPACE,
    text: 'namespace in which the simulated workers register',
  },
  simulateForce: {
    ...aSwitch,
    flag: '--force',
    text: 'simulate in a namespace that has workers which are not simulated',
  },
  simulateClosedLoop: {
    ...aSwitch,
    flag: '--closed-loop',
    text: 'simulate requests, and a router that sends them to workers which are not busy: the thresholds change the loads',
  },
  simulateGeneration: {
    ...aWord('<release>', ['0.6', '1.0', '1.6']),
    flag: '--generation',
    defaultValue: '1.6',
    text: 'Dynamo release whose keys, subjects and bytes are used: 0.6, 1.0 or 1.6; workers of 0.6 answer scrapes and have one rank',
  },
  simulateTtl: {
    ...aNumber('<seconds>', 1, 86_400),
    flag: '--ttl',
    env: 'ETCD_LEASE_TTL',
    defaultValue: 10,
    text: 'lease time: how long a worker stays registered after this process is killed',
  },
  simulateModelPath: {
    ...aText('<folder>'),
    flag: '--model-path',
    text: 'folder with config.json, tokenizer.json and tokenizer_config.json, so that a Dynamo frontend can serve the model',
  },
});
