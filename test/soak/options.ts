import { parseArgs } from 'node:util';

export const help = `Usage: npm run soak -- [--etcd|--nats] [options]

Listens to a real server through a faulty network while numbers are written past it, and says what became of them.
Every kind of fault occurs at least twice (over both servers, where they wait for each other, once) where the minutes
suffice; then they are drawn at random.

  --etcd           etcd alone, through watchPrefix
  --nats           NATS alone, through natsLoads
                   neither: a fleet over both, its workers coming, going and being killed, through dynamoSources
  --minutes <n>    how long faults are made (default 3)
  --seed <n>       what chance begins with (default 1)
  --workers <n>    no faults: so many workers are listed and watched in etcd, with the time and the memory that takes
  --json           the result as JSON in place of the table
  --help           this text

Exit code 1, etcd: a value was lost, told twice or out of order, a final value is wrong, or something was left behind.
Values that the server compacted away, or that went with a replaced store, may be missing; then a resync has to say so.
Exit code 1, NATS, which keeps nothing for who is away: a message was lost and no gap and no interval says so, one was
told twice or out of order, more time was reported as detached than there was, or something was left behind.
Exit code 1, both: as for NATS; or what the monitor sees at the end (workers, cards, each rank's last value, who is
busy) is not as it is, or something is still seen or left behind after all have left.
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

/** What was asked for, or a text that says what is wrong with it. */
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
  if (!(minutes > 0)) return '--minutes takes a number above 0';
  if (!Number.isInteger(seed)) return '--seed takes a whole number';
  if (workers !== null && !(Number.isInteger(workers) && workers > 0))
    return '--workers takes a whole number above 0';
  if (values.etcd && values.nats) return '--etcd and --nats are each alone: give neither for both at once';
  if (workers !== null && !values.etcd) return '--workers goes with --etcd';
  return { ...values, minutes, seed, workers };
}
