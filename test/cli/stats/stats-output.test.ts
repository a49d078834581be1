import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { scrapeRound, type ScrapeRound } from '../../../src/cli/stats/scrape-round.js';
import { statsTable } from '../../../src/cli/stats/stats-output.js';
import { metricsOf, statsReply } from '../../support/scraped.js';

/** The table of a scrape in which worker 16 has an entry with each of these ranks. */
function table(...ranks: (number | null)[]): readonly string[] {
  const replies = ranks.map((rank) => ({ data: statsReply('16', metricsOf(10, rank)), receivedAt: 0 }));
  let round: ScrapeRound | undefined;
  scrapeRound(of(...replies), 'load_metrics').subscribe((last) => (round = last));
  if (round === undefined) throw new Error('the scrape has not ended');
  return statsTable(round);
}

describe('statsTable', () => {
  it('the ranks of a worker have a column, and count as one worker', () => {
    const [head, ...rows] = table(0, 3);
    expect(head).toMatch(/ RANK +KV BLOCKS/);
    expect(rows[1]).toMatch(/load_metrics-10 .* 0 +10\/4096/);
    expect(rows[3]).toMatch(/load_metrics-10 .* 3 +10\/4096/);
    expect(rows).toContain('dynamo_backend: 1 worker; active KV blocks 10 on average, deviation 0');
  });

  it('workers without ranks have no such column', () => {
    expect(table(null)[0]).toMatch(/MEAN TIME +KV BLOCKS +SLOTS +WAITING$/);
  });
});
