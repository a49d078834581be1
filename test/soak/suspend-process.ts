import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Suspends this process for some seconds. A shell resumes it. */
export async function suspendProcess(seconds: number): Promise<void> {
  const script = 'kill -STOP "$0"; sleep "$1"; kill -CONT "$0"';
  const shell = spawn('sh', ['-c', script, String(process.pid), seconds.toFixed(1)], { stdio: 'ignore' });
  await once(shell, 'exit');
}
