import { deepStrictEqual } from 'node:assert';
import { inspect } from 'node:util';
import { from } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { engineLoads } from '../../src/core/aggregator/engine-loads.js';
import { ProcessedEndpoints } from '../../src/core/aggregator/processed-endpoints.js';
import { policies } from '../../src/core/policy/policies.js';
import { valueText } from '../../src/testing/marble/value-text.js';
import { DiscoveryFold } from '../../src/dynamo/discovery/discovery-fold.js';
import { LoadDecoder } from '../../src/wire/loads/load-decoder.js';
import { encodeActiveLoad, encodeEnvelope } from '../../src/wire/loads/load-encoder.js';
import { parseRecordedEvent } from '../../src/wire/recording/recorded-event.js';
import { decodeServiceStats } from '../../src/wire/services/service-stats.js';
import { batch, putText } from '../support/discovery.js';
import { load } from '../support/fleet.js';
import { metricsOf, scrapedEndpoint, statsReply } from '../support/scraped.js';

const wide = 2n ** 64n - 1n;
const digits = '18446744073709551615';
const path = 'dynamo/backend/generate';

/** The values that decoders make of messages with 64-bit numbers, and the records with such numbers in them. */
function decodedValues(): Record<string, unknown> {
  const decoder = new LoadDecoder(policies.default);
  const header = { publisherId: '9', sequence: 5, publishedAt: 1_700_000_000_000 };
  const envelope = encodeEnvelope(header, encodeActiveLoad(load({ kvUsedBlocks: wide }), 5));
  const json = new TextEncoder().encode(`{"worker_id":7,"active_prefill_tokens":${digits}}`);
  const fold = new DiscoveryFold();
  const card = `{"display_name":"tiny","runtime_config":{"total_kv_blocks":${digits}}}`;
  const difference = fold.apply(
    batch.snapshot(putText(`v1/instances/${path}/7`, '{}'), putText(`v1/mdc/${path}/7`, card)),
  );
  const endpoint = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };
  const recorded = (event: object): unknown => parseRecordedEvent(event as never);
  const scraped = ProcessedEndpoints.of([scrapedEndpoint('7', wide)]);
  const loads: unknown[] = [];
  from([scraped])
    .pipe(engineLoads())
    .subscribe((one) => loads.push(one));
  return {
    envelope: decoder.decode(envelope),
    walked: decoder.decode(envelope),
    json: decoder.decode(json),
    difference: { ...difference.in(), workers: difference.workers, problems: difference.problems },
    configs: fold.members().configs,
    workers: fold.workers(),
    pool: fold.members({ model: 'tiny', endpoint }),
    instances: fold.members({ endpoint }).instances,
    recordedLoad: recorded({ kind: 'load', workerId: '7', kvUsedBlocks: digits }),
    recordedConfigs: recorded({ kind: 'configs', workers: { 7: { totalKvBlocks: digits } } }),
    recordedThresholds: recorded({ kind: 'thresholds', activePrefillTokensThreshold: digits }),
    recordedFraction: recorded({ kind: 'thresholds', activeDecodeBlocksThreshold: 'NaN' }),
    recordedScheduler: recorded({
      kind: 'schedulerLoads',
      loads: [{ workerId: '7', activeDecodeBlocks: digits, activePrefillTokens: 0 }],
    }),
    stats: decodeServiceStats(statsReply('7', metricsOf(wide))),
    scraped,
    scrapedBlocks: scraped.activeBlocks(),
    noEndpoints: ProcessedEndpoints.of([]),
    loads,
  };
}

describe('values with 64-bit numbers, Maps and Sets', () => {
  const values = decodedValues();

  it.each(Object.keys(values))(
    '%s - JSON keeps everything, and equality and printing see no method',
    (name) => {
      const value = values[name];
      const text = JSON.stringify(value);
      if (name !== 'noEndpoints') expect(text).not.toContain('{}');
      if (!['noEndpoints', 'instances', 'workers', 'recordedFraction'].includes(name))
        expect(text).toContain(`"${digits}"`);
      deepStrictEqual(value, decodedValues()[name]);
      expect(value).toStrictEqual(decodedValues()[name]);
      expect(inspect(value, { depth: null })).not.toContain('toJSON');
    },
  );

  it('a Map is an object by worker id, a Set an array, and NaN a text', () => {
    const json = JSON.parse(JSON.stringify(values)) as Record<string, unknown>;
    expect(json['configs']).toEqual({ 7: { totalKvBlocks: digits } });
    expect(json['instances']).toEqual(['7']);
    expect(json['scrapedBlocks']).toEqual({ 7: digits });
    expect(json['noEndpoints']).toEqual({ endpoints: [], loadAvg: 'NaN', loadStd: 'NaN' });
    expect(json['recordedFraction']).toMatchObject({ event: { activeDecodeBlocksThreshold: 'NaN' } });
  });

  it('a marble still shows integers, not text', () => {
    expect(valueText(values['recordedLoad'])).toContain(`"kvUsedBlocks":${digits}`);
    expect(valueText(values['configs'])).toBe(`{"7":{"totalKvBlocks":${digits}}}`);
  });
});
