import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type UrlRules, parseServerUrls } from '../../../src/adapters/connections/server-urls.js';

const rules: UrlRules = {
  option: 'servers',
  noun: 'server',
  schemes: ['http', 'https'],
  defaultPort: 2379,
  acceptsUser: true,
};
const noUser: UrlRules = { ...rules, acceptsUser: false };

const anyHost = fc.constantFrom('etcd', 'etcd.local', '10.0.0.1', '[::1]', '[2001:db8::7]');
const anyPort = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
const anyScheme = fc.constantFrom('', 'http://', 'https://');

describe('parseServerUrls', () => {
  it('property - every host, port and scheme is what it was written as, in a text and in a list', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyScheme, anyHost, anyPort), { minLength: 1 }), (parts) => {
        const texts = parts.map(
          ([scheme, host, port]) => `${scheme}${host}${port === undefined ? '' : `:${port}`}`,
        );
        const { servers, problems } = parseServerUrls(texts, rules);
        expect(problems).toEqual([]);
        expect(servers).toMatchObject(
          parts.map(([scheme, host, port = 2379]) => ({
            hostname: host.replace(/[[\]]/g, ''),
            port,
            secure: scheme === 'https://',
            url: `${scheme || 'http://'}${host}:${port}`,
          })),
        );
        expect(parseServerUrls(texts.join(' , '), rules).servers).toEqual(servers);
      }),
    );
  });

  it('property - a user and a password are read, or refused, and never shown', () => {
    const secret = fc.string({ minLength: 1 }).map((text) => `!${text}!`);
    fc.assert(
      fc.property(secret, secret, fc.constantFrom('', '/path', '?x'), (user, password, rest) => {
        const text = `http://${encodeURIComponent(user)}:${encodeURIComponent(password)}@host${rest}`;
        const { servers, problems } = parseServerUrls([text], rules);
        if (rest === '') expect(servers).toMatchObject([{ user, password, url: 'http://host:2379' }]);
        else expect(problems).toEqual([expect.stringContaining('"http://…@host')]);
        for (const problem of [...problems, ...parseServerUrls([text], noUser).problems])
          expect(problem).not.toContain(encodeURIComponent(password));
      }),
    );
  });

  it.each([
    '',
    ' ',
    'x:y:z',
    'http://',
    'ftp://x',
    'nats://x',
    'http://x/path',
    'http://x?a',
    'http://x#a',
    '::1',
  ])('%j is one problem, in one sentence', (text) => {
    const { servers, problems } = parseServerUrls([text], rules);
    expect(servers).toEqual([]);
    expect(problems).toEqual([
      expect.stringMatching(
        /^".*" (is not a valid server|contains more than a host and a port): write http:/,
      ),
    ]);
  });
});
