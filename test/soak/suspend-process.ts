import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** This whole process stands still for so many seconds; a shell wakes it. */
export async function stopOurselves(seconds: number): Promise<void> {
  const script = 'kill -STOP "$0"; sleep "$1"; kill -CONT "$0"';
  const shell = spawn('sh', ['-c', script, String(process.pid), seconds.toFixed(1)], { stdio: 'ignore' });
  await once(shell, 'exit');
}
