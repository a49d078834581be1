import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { RunningProcess } from '../../support/processes.js';
import { root } from '../../support/root.js';
import { waitUntilNoKeys, keysIn, endpointName, waitForKeyCount, transport } from './registered.js';
import { startEtcdBehindProxy } from './etcd-behind-proxy.js';

describeWith('etcd', 'registerWorker', () => {
  it('in a process that is killed: the keys are removed when the lease expires, and not before', async () => {
    await using setup = await startEtcdBehindProxy();
    const options = { etcd: setup.hosts, ...endpointName, transport, release: '1.6', ttlSeconds: 2 };
    const script =
      `import { registerWorker } from 'tidemark/dynamo';` +
      `registerWorker(JSON.parse(process.argv[1])).subscribe(({ state }) => console.log(state));`;
    const args = ['--input-type=module', '-e', script, JSON.stringify(options)];
    await using worker = new RunningProcess(process.execPath, args, { cwd: root, showErrors: true });
    await waitForKeyCount(setup, 1);
    await worker.end('SIGKILL');
    expect(await keysIn(setup)).toHaveLength(1);
    await waitUntilNoKeys(setup);
  });
});
