import { run } from '../support/processes.js';

/** Suspends this process for some seconds. A shell resumes it. */
export async function suspendProcess(seconds: number): Promise<void> {
  const script = 'kill -STOP "$0"; sleep "$1"; kill -CONT "$0"';
  await run('sh', ['-c', script, String(process.pid), seconds.toFixed(1)]);
}
