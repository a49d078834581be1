import { describe, expect, it } from 'vitest';
import { ScopeError } from '../../../src/wire/endpoint-names.js';
import { loadSubject, parseSubject } from '../../../src/dynamo/loads/subjects.js';
import { captureFiles, captureLines, RELEASES } from '../../wire/captures.js';

const endpoint = { namespace: 'dynamo', component: 'backend', endpoint: 'generate' };
const odd = { namespace: 'ns.one', component: 'worker/*', endpoint: 'generate.>' };
const oddSubject = 'namespace.ns%2Eone.component.worker%2F%2A.endpoint.generate%2E%3E.kv%2Eevents%2F%2A';

describe('subjects', () => {
  it('subjects - a namespace is written as it is', () => {
    expect(loadSubject({ namespace: 'dynamo' })).toBe('namespace.dynamo.kv_metrics');
    expect(loadSubject({ namespace: 'a.b' })).toBe('namespace.a.b.kv_metrics');
  });

  it('subjects - a component is written as it is', () => {
    const scope = { namespace: 'a.b', component: 'back%end' };
    expect(loadSubject(scope, 'kv-events')).toBe('namespace.a.b.component.back%end.kv-events');
  });

  it('subjects - an endpoint and its topic are escaped', () => {
    expect(loadSubject(endpoint)).toBe('namespace.dynamo.component.backend.endpoint.generate.kv_metrics');
    expect(loadSubject(odd, 'kv.events/*')).toBe(oddSubject);
  });

  it('subjects - the caller chooses whether to escape', () => {
    const escaped = { escaped: true };
    expect(loadSubject({ namespace: 'a.b' }, undefined, escaped)).toBe('namespace.a%2Eb.kv_metrics');
    expect(loadSubject({ namespace: 'a.b', component: 'c.d' }, 't.u', escaped)).toBe(
      'namespace.a%2Eb.component.c%2Ed.t%2Eu',
    );
    expect(loadSubject({ ...endpoint, namespace: 'a.b' }, 'x', { escaped: false })).toBe(
      'namespace.a.b.component.backend.endpoint.generate.x',
    );
  });

  it('subjects - null in a scope is the same as absent', () => {
    expect(loadSubject({ namespace: 'dynamo', component: null, endpoint: null })).toBe(
      'namespace.dynamo.kv_metrics',
    );
  });

  it.each([
    [{ namespace: '' }, 'kv_metrics', 'The namespace is empty: give it a name.'],
    [{ namespace: 'a', component: '' }, 'kv_metrics', 'The component is empty: give it a name.'],
    [
      { namespace: 'a', endpoint: 'e' },
      'kv_metrics',
      'The endpoint "e" has no component: name the component too.',
    ],
    [{ namespace: 'a' }, '', 'The topic is empty: give it a name.'],
  ])('subjects - %j with topic %j cannot be written', (scope, topic, message) => {
    expect(() => loadSubject(scope, topic)).toThrow(new ScopeError(message));
  });

  it.each([
    ['namespace.dynamo.kv_metrics', { namespace: 'dynamo', topic: 'kv_metrics' }],
    ['namespace.a.b.kv_metrics', { namespace: 'a.b', topic: 'kv_metrics' }],
    ['namespace.a%2Eb.kv_metrics', { namespace: 'a.b', topic: 'kv_metrics' }],
    [
      'namespace.dynamo.component.backend.kv-events',
      { namespace: 'dynamo', component: 'backend', topic: 'kv-events' },
    ],
    ['namespace.a.b.component.c.kv-events', { namespace: 'a.b', component: 'c', topic: 'kv-events' }],
    ['namespace.dynamo.component.backend.endpoint.generate.kv_metrics', { ...endpoint, topic: 'kv_metrics' }],
    [
      'namespace.a.b.component.c.endpoint.e.t',
      { namespace: 'a.b', component: 'c', endpoint: 'e', topic: 't' },
    ],
    [oddSubject, { ...odd, topic: 'kv.events/*' }],
  ])('subjects - %s is read', (subject, parsed) => {
    expect(parseSubject(subject)).toStrictEqual(parsed);
  });

  it.each([
    ['namespace.namespace.kv_metrics', { namespace: 'namespace', topic: 'kv_metrics' }],
    ['namespace.component.kv_metrics', { namespace: 'component', topic: 'kv_metrics' }],
    ['namespace.a.component.kv_metrics', { namespace: 'a.component', topic: 'kv_metrics' }],
    ['namespace.component.component.x.t', { namespace: 'component', component: 'x', topic: 't' }],
    ['namespace.a.component.component.t', { namespace: 'a', component: 'component', topic: 't' }],
    [
      'namespace.component.component.endpoint.endpoint.endpoint.endpoint',
      { namespace: 'component', component: 'endpoint', endpoint: 'endpoint', topic: 'endpoint' },
    ],
    ['namespace.a.endpoint.e.t', { namespace: 'a.endpoint.e', topic: 't' }],
  ])('subjects - names that are words of the layout do not confuse %s', (subject, parsed) => {
    expect(parseSubject(subject)).toStrictEqual(parsed);
  });

  it('subjects - one part that cannot be unescaped leaves all as they are', () => {
    expect(parseSubject('namespace.50%off%2E.component.a%2Eb.t')).toStrictEqual({
      namespace: '50%off%2E',
      component: 'a%2Eb',
      topic: 't',
    });
    expect(parseSubject('namespace.%FF.t')).toStrictEqual({ namespace: '%FF', topic: 't' });
  });

  it.each([
    '',
    'namespace',
    'namespace.kv_metrics',
    'namespace..kv_metrics',
    'namespace.a.',
    '.namespace.a.t',
    'Namespace.a.t',
    'namespaces.a.t',
    'a.namespace.b.t',
    '$SRV.STATS.dynamo_backend',
    '_INBOX.5tenQRKiIrohDq7peKpBOt.5tenQRKiIrohDq7peKpBO5',
    'dynamo_backend.generate-3109a1fde8e7ad07',
  ])('subjects - %j is not an event subject', (subject) => {
    expect(parseSubject(subject)).toBeUndefined();
  });

  it('subjects - every captured one is read and written back', () => {
    const messages = captureFiles('nats.jsonl', 'nats_events.jsonl');
    expect(new Set(messages.map((file) => file.split('/')[0]))).toEqual(new Set(RELEASES));
    const subjects = new Set([
      ...messages.flatMap((file) => captureLines<{ subject: string }>(file).map(({ subject }) => subject)),
      ...captureFiles('monitor_oracle.jsonl').flatMap((file) =>
        captureLines<{ steps: { subject?: string }[] }>(file).flatMap(({ steps }) =>
          steps.flatMap(({ subject }) => subject ?? []),
        ),
      ),
    ]);
    const rows = [...subjects].sort().map((subject) => {
      const parsed = parseSubject(subject);
      if (parsed === undefined) throw new Error(`${subject} is not read`);
      expect(loadSubject(parsed, parsed.topic)).toBe(subject);
      expect(loadSubject(parsed, parsed.topic, { escaped: true })).toBe(subject);
      return [parsed.namespace, parsed.component ?? '-', parsed.endpoint ?? '-', parsed.topic].join(' ');
    });
    expect(rows).toEqual([
      'dynamo backend - active_sequences_events',
      'dynamo backend generate active_sequences_events',
      'dynamo backend generate forward-pass-metrics',
      'dynamo backend generate kv-events',
      'dynamo backend generate kv_metrics',
      'dynamo backend - kv-events',
      'dynamo prefill generate forward-pass-metrics',
      'dynamo prefill generate kv-events',
      'dynamo prefill generate kv_metrics',
      'dynamo prefill - kv-events',
      'dynamo - - kv_metrics',
      'my-ns_1 Decode-X generate kv_metrics',
      'my-ns_1 - - kv_metrics',
      'other backend generate kv_metrics',
      'other - - kv_metrics',
    ]);
  });
});
