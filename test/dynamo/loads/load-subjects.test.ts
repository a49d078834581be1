import { describe, expect, it } from 'vitest';
import { loadSubjects } from '../../../src/dynamo/loads/load-subjects.js';

const endpoint = { namespace: 'a.b', component: 'backend', endpoint: 'generate' };

describe('loadSubjects', () => {
  it('all namespaces: nested ones up to three levels, and every endpoint', () => {
    expect(loadSubjects({})).toEqual([
      'namespace.*.kv_metrics',
      'namespace.*.*.kv_metrics',
      'namespace.*.*.*.kv_metrics',
      'namespace.*.component.*.endpoint.*.kv_metrics',
    ]);
  });

  it('one namespace, as the releases write it: verbatim up to 1.3, escaped from 1.4', () => {
    expect(loadSubjects({ namespace: 'a.b' })).toEqual([
      'namespace.a.b.kv_metrics',
      'namespace.a%2Eb.component.*.endpoint.*.kv_metrics',
    ]);
  });

  it('one endpoint', () => {
    expect(loadSubjects({ namespace: 'a.b', endpoint })).toEqual([
      'namespace.a.b.kv_metrics',
      'namespace.a%2Eb.component.backend.endpoint.generate.kv_metrics',
    ]);
  });

  describe('with a prefill endpoint', () => {
    const prefillEndpoint = { ...endpoint, component: 'prefill' };
    const escaped = 'namespace.a%2Eb.component';

    it('an endpoint and a prefill endpoint', () => {
      expect(loadSubjects({ namespace: 'a.b', endpoint, prefillEndpoint })).toEqual([
        'namespace.a.b.kv_metrics',
        `${escaped}.backend.endpoint.generate.kv_metrics`,
        `${escaped}.prefill.endpoint.generate.kv_metrics`,
      ]);
    });

    it('the same endpoint for both is one subject', () => {
      expect(loadSubjects({ namespace: 'a.b', endpoint, prefillEndpoint: endpoint })).toEqual(
        loadSubjects({ namespace: 'a.b', endpoint }),
      );
    });

    it('a wildcard that covers it', () => {
      expect(loadSubjects({ namespace: 'a.b', prefillEndpoint })).toEqual(loadSubjects({ namespace: 'a.b' }));
      expect(loadSubjects({ prefillEndpoint })).toEqual(loadSubjects({}));
    });
  });

  it('one generation', () => {
    expect(loadSubjects({ namespace: 'a' }, 'namespace')).toEqual(['namespace.a.kv_metrics']);
    expect(loadSubjects({ namespace: 'a' }, 'endpoint')).toEqual([
      'namespace.a.component.*.endpoint.*.kv_metrics',
    ]);
  });

  it('a name with a wildcard of NATS has no unescaped subject', () => {
    expect(loadSubjects({ namespace: 'a.*' })).toEqual([
      'namespace.a%2E%2A.component.*.endpoint.*.kv_metrics',
    ]);
  });
});
