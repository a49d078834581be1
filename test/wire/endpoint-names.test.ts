import { describe, expect, it } from 'vitest';
import { discoveryPrefixes } from '../../src/dynamo/discovery/discovery-keys.js';
import { parseEndpoint, type EndpointLike } from '../../src/wire/endpoint-names.js';

const prod = { namespace: 'prod', component: 'backend', endpoint: 'generate' };

describe('endpoints as users write them', () => {
  it.each<[EndpointLike, string | undefined, object]>([
    ['prod.backend.generate', undefined, prod],
    ['dyn://prod.backend.generate', undefined, prod],
    ['prod.backend.generate', 'prod', prod],
    ['backend.generate', 'prod', prod],
    ['a.b.c.backend.generate', undefined, { ...prod, namespace: 'a.b.c' }],
    ['a.b.backend.generate', 'a.b', { ...prod, namespace: 'a.b' }],
    [prod, undefined, prod],
    [{ component: 'a.b', endpoint: 'c.d' }, 'prod', { namespace: 'prod', component: 'a.b', endpoint: 'c.d' }],
  ])('%j, watching %s', (given, namespace, expected) => {
    expect(parseEndpoint(given, namespace)).toEqual(expected);
  });

  it.each<[EndpointLike, string | undefined, RegExp]>([
    ['', undefined, /is not a valid endpoint/],
    ['generate', 'prod', /is not a valid endpoint/],
    ['dyn://', 'prod', /is not a valid endpoint/],
    ['.backend.generate', undefined, /is not a valid endpoint/],
    ['prod..generate', undefined, /is not a valid endpoint/],
    ['prod.backend.', undefined, /is not a valid endpoint/],
    ['prod/backend/generate', undefined, /is not a valid endpoint/],
    ['a/b.backend.generate', undefined, /is not a valid endpoint/],
    ['backend.generate', undefined, /has no namespace/],
    [{ component: 'backend', endpoint: 'generate' }, undefined, /has no namespace/],
    [{ ...prod, endpoint: '' }, undefined, /is not a valid endpoint/],
    [
      { namespace: 'prod', component: 7, endpoint: 'x' } as unknown as EndpointLike,
      'prod',
      /is not a valid endpoint/,
    ],
    ['other.backend.generate', 'prod', /is outside the watched namespace "prod"/],
  ])('%j, watching %s, is refused', (given, namespace, text) => {
    expect(() => parseEndpoint(given, namespace)).toThrow(
      expect.objectContaining({ code: 'endpoint-name', message: expect.stringMatching(text) as string }),
    );
  });
});

describe('prefixes to watch', () => {
  it('are the roots without a namespace, and the namespace below each root with one', () => {
    expect(discoveryPrefixes()).toEqual(['v1/instances/', 'v1/mdc/', 'instances/', 'models/']);
    expect(discoveryPrefixes('a.b')).toEqual([
      'v1/instances/a.b/',
      'v1/mdc/a.b/',
      'instances/a.b/',
      'models/',
    ]);
    expect(discoveryPrefixes('a', 'generations')).toEqual([
      'v1/instances/a/',
      'v1/mdc/a/',
      'instances/a/',
      'v1/instances/a-',
      'v1/mdc/a-',
      'models/',
    ]);
    expect(discoveryPrefixes('a', 'prefix')).toEqual([
      'v1/instances/a',
      'v1/mdc/a',
      'instances/a',
      'models/',
    ]);
  });
});
