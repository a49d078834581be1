import { run } from '../support/processes.js';

/** This whole process stands still for so many seconds; a shell wakes it. */
export async function stopOurselves(seconds: number): Promise<void> {
  const script = 'kill -STOP "$0"; sleep "$1"; kill -CONT "$0"';
  await run('sh', ['-c', script, String(process.pid), seconds.toFixed(1)]);
}
