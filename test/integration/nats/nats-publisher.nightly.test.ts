import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import type { PublisherStatus } from '../../../src/adapters/nats/nats-publisher.js';
import type { ActiveLoad } from '../../../src/core/events/fleet-event.js';
import { CONFIRMING_MESSAGES } from '../../../src/dynamo/loads/publisher-runs.js';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import { startNats } from '../../support/nats-server.js';
import { LoadRecorder } from './load-recorder.js';
import { load, publishLoads } from './published-load.js';

describeWith('nats-server', 'natsPublisher', () => {
  it('half open with 18 MB unsent: detected, closed with its buffer, and that is a gap', async () => {
    await using server = await startNats();
    await using proxy = await startFaultProxy({ to: server.port });
    using recorder = new LoadRecorder({ servers: server.url });
    await recorder.until('live');
    const loads$ = new Subject<ActiveLoad>();
    const statuses: PublisherStatus[] = [];
    const servers = `nats://127.0.0.1:${proxy.port}`;
    const options = { as: 'router', release: '1.6', publisherId: '5' } as const;
    const publishing = loads$
      .pipe(publishLoads({ servers }, options))
      .subscribe((status) => statuses.push(status));
    await eventually(() => expect(statuses.at(-1)?.state).toBe('live'));
    let sent = 0;
    const sendNext = (): void => loads$.next({ ...load(0, 1), kvUsedBlocks: sent++ });
    sendNext();
    await eventually(() => expect(recorder.received).toEqual([0]));
    await eventually(() => expect(recorder.reports).toHaveLength(1));
    const perMessage = recorder.reports[0]?.account.bytes ?? Infinity;
    proxy.halfOpen('both');
    const began = performance.now();
    while (sent * perMessage < 18e6) sendNext();
    await eventually(() => expect(statuses.at(-1)?.state).toBe('down'));
    const noticedMs = performance.now() - began;
    console.info(`18 MB unsent: noticed after ${(noticedMs / 1000).toFixed(1)} s`);
    // The connection is closed with its buffer; the proxy notices that when it reads again.
    await proxy.heal();
    await eventually(() => expect(statuses.at(-1)?.state).toBe('live'));
    await eventually(() => expect(proxy.connections).toBe(1));
    // A large gap is reported when further messages have confirmed it.
    for (let message = 0; message <= CONFIRMING_MESSAGES; message += 1) sendNext();
    await eventually(() => expect(recorder.received.at(-1)).toBe(sent - 1));
    const missing = (): number =>
      recorder.reports.flatMap(({ gaps }) => gaps).reduce((sum, gap) => sum + gap.missing, 0);
    await eventually(() => expect(recorder.received.length + missing()).toBe(sent));
    expect(new Set(recorder.received).size).toBe(recorder.received.length);
    publishing.unsubscribe();
  });
});
