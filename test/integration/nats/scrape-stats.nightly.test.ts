import { firstValueFrom } from 'rxjs';
import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { eventually } from '../../support/eventually.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import { startNats } from '../../support/nats-server.js';
import { Responders } from './responders.js';
import { outcome, scrapeOf, SUBJECT } from './scrape-outcome.js';

describeWith('nats-server', 'scrapeStats', () => {
  it('half open - is an error, and not an empty scrape', async () => {
    await using server = await startNats();
    await using proxy = await startFaultProxy({ to: server.port });
    await using responders = await Responders.connect(server.url);
    await responders.add(SUBJECT, () => ({ reply: 'one' }));
    const scrape$ = scrapeOf({ servers: `nats://127.0.0.1:${proxy.port}` });
    await firstValueFrom(scrape$);
    proxy.halfOpen('toClient');
    const { texts, error } = await outcome(scrape$);
    expect([texts, error?.code]).toEqual([[], 'timeout']);
    await proxy.heal();
    await eventually(async () => expect((await outcome(scrape$)).texts).toEqual(['one']));
  });
});
