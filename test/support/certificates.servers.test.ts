import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCertificates, type Certificates } from './certificates.js';
import { describeWith } from './describe-with.js';

const read = (path: string): X509Certificate => new X509Certificate(readFileSync(path));

describeWith('openssl', 'certificates of a test', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-certificates-'));
  let made: Certificates;

  beforeAll(async () => {
    made = await makeCertificates(folder);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('are signed by one authority and not by the other', () => {
    const [ca, otherCa] = [read(made.ca), read(made.otherCa)];
    for (const { cert } of [made.server, made.client]) {
      expect(read(cert).verify(ca.publicKey)).toBe(true);
      expect(read(cert).verify(otherCa.publicKey)).toBe(false);
    }
    expect([ca.ca, otherCa.ca, read(made.server.cert).ca]).toEqual([true, true, false]);
  });

  it('name the loopback interface', () => {
    const server = read(made.server.cert);
    expect([server.checkIP('127.0.0.1'), server.checkHost('localhost')]).toEqual(['127.0.0.1', 'localhost']);
    expect(read(made.client.cert).checkIP('127.0.0.1')).toBeUndefined();
  });
});
