import process from 'node:process';
import { measureWorkers } from './etcd/measure-workers.js';
import { soakEtcd } from './etcd/soak-etcd.js';
import { soakFleet } from './fleet/soak-fleet.js';
import { soakNats } from './nats/soak-nats.js';
import { help, soakOptions } from './options.js';
import { breaches } from './soak-result.js';
import { soakTable } from './soak-table.js';

const options = soakOptions(process.argv.slice(2));
if (typeof options === 'string') {
  process.stderr.write(`${options}\n\n${help}`);
  process.exitCode = 2;
} else if (options.help) {
  process.stdout.write(help);
} else {
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  if (options.workers !== null) {
    process.stdout.write(await measureWorkers(options.workers));
  } else {
    const soak = options.nats ? soakNats : options.etcd ? soakEtcd : soakFleet;
    const result = await soak(options, progress).catch((error: unknown) => {
      // Writers and listeners would run forever. The servers end with this process.
      process.stderr.write(`the soak failed: ${String(error)}\n`);
      process.exit(1);
    });
    process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : soakTable(result));
    if (breaches(result).length > 0) process.exitCode = 1;
  }
}
