import { parseArgs } from 'node:util';

export const help = `Usage: npm run soak -- [--etcd|--nats] [options]

Reads from a real server through a faulty network while numbers are written directly to the server, and reports losses.
If there is enough time, every kind of fault occurs at least twice (for a fleet: once); then faults are chosen at random.

  --etcd           test etcd alone, through watchPrefix
  --nats           test NATS alone, through natsMessages and receiveLoads
                   neither: test a fleet over both, with workers that join, leave and are killed, through dynamoFleet
  --minutes <n>    duration of the faults (default 3)
  --seed <n>       seed of the random numbers (default 1)
  --workers <n>    no faults: measure the time and the memory to list and watch this number of workers in etcd
  --json           print the result as JSON instead of a table
  --help           print this text

Exit code 1, etcd: a value was lost, duplicated or out of order, a final value is wrong, or there is a leak. Values that
were compacted, or lost with a replaced store, may be missing, but only together with a resync.
Exit code 1, NATS (which keeps no messages for disconnected clients): a message was lost without a reported gap or
interval, duplicated or out of order, the reported detached time is too long, or there is a leak.
Exit code 1, fleet: as for NATS; or the monitor's final state (workers, configs, last values, busy workers) is wrong, or
it is not empty after all workers have left.
`;

export interface SoakOptions {
  readonly etcd: boolean;
  readonly nats: boolean;
  readonly minutes: number;
  readonly seed: number;
  readonly workers: number | null;
  readonly json: boolean;
  readonly help: boolean;
}

/** The parsed options, or the text of an error. */
export function soakOptions(args: readonly string[]): SoakOptions | string {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        etcd: { type: 'boolean', default: false },
        nats: { type: 'boolean', default: false },
        minutes: { type: 'string', default: '3' },
        seed: { type: 'string', default: '1' },
        workers: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  const workers = values.workers === undefined ? null : Number(values.workers);
  if (!(minutes > 0)) return '--minutes must be a number above 0';
  if (!Number.isInteger(seed)) return '--seed must be a whole number';
  if (workers !== null && !(Number.isInteger(workers) && workers > 0))
    return '--workers must be a whole number above 0';
  if (values.etcd && values.nats)
    return '--etcd and --nats exclude each other: use neither to test both together';
  if (workers !== null && !values.etcd) return '--workers only applies with --etcd';
  return { ...values, minutes, seed, workers };
}
