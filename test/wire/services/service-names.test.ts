import { describe, expect, it } from 'vitest';
import { workerId, workerIdFromHex } from '../../../src/core/worker-id.js';
import {
  serviceEndpointName,
  serviceName,
  serviceRequestSubject,
  serviceSubject,
} from '../../../src/wire/services/service-names.js';

describe('service names and subjects', () => {
  it.each([
    ['dynamo', 'backend', 'dynamo_backend'],
    ['a.b', 'C', 'a_b_c'],
    ['dynamo', 'static-comp', 'dynamo_static-comp'],
  ])('%s and %s are the service %s', (namespace, component, name) => {
    expect(serviceName(namespace, component)).toBe(name);
  });

  it('the endpoint of a worker ends with its hexadecimal id, that of a static worker has no id', () => {
    const subject = serviceSubject('dynamo_backend', 'load_metrics', workerIdFromHex('694d988806b92e39'));
    expect(subject).toBe('dynamo_backend.load_metrics-694d988806b92e39');
    expect(serviceEndpointName(subject)).toBe('dynamo_backend-load_metrics-694d988806b92e39');
    expect(serviceSubject('s', 'e')).toBe('s.e');
    expect(serviceSubject('s', 'e', workerId('0'))).toBe('s.e-0');
  });

  it('requests go to all services, to those of a name, or to one instance', () => {
    expect(serviceRequestSubject('PING')).toBe('$SRV.PING');
    expect(serviceRequestSubject('STATS', 'dynamo_backend')).toBe('$SRV.STATS.dynamo_backend');
    expect(serviceRequestSubject('INFO', 'dynamo_backend', 'bdu7')).toBe('$SRV.INFO.dynamo_backend.bdu7');
  });
});
