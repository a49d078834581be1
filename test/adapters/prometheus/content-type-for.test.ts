import { describe, expect, it } from 'vitest';
import { contentTypeFor } from '../../../src/adapters/prometheus/content-type-for.js';

const prometheus242 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

describe('the form of a page', () => {
  it.each([
    [prometheus242, 'openmetrics'],
    [prometheus3, 'openmetrics'],
    ['application/openmetrics-text', 'openmetrics'],
    ['Application/OpenMetrics-Text; Version="1.0.0"', 'openmetrics'],
    ['application/openmetrics-text;version=0.0.1', 'text'],
    ['application/openmetrics-text;version=1.0.0;q=0', 'text'],
    ['application/openmetrics-text;version=1.0.0;q=x', 'text'],
    ['application/openmetrics-text;q=0.3,text/plain;q=0.9', 'text'],
    ['text/plain', 'text'],
    ['*/*', 'text'],
    ['text/html,application/xhtml+xml', 'text'],
    ['', 'text'],
    [';;,,=;q', 'text'],
    [undefined, 'text'],
  ])('for Accept: %s', (accept, format) => {
    const content = contentTypeFor(accept);
    expect(content.format).toBe(format);
    expect(content.contentType).toBe(
      format === 'text'
        ? 'text/plain; version=0.0.4; charset=utf-8'
        : 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    );
  });
});
