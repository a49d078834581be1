import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serverBinary } from './server-binary.js';

let folder = '';
const cache = (): string => join(folder, 'tidemark/servers');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-binary-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A program that is on the PATH of the tests, which is this folder. */
function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const find = (): ReturnType<typeof serverBinary> =>
  serverBinary('etcd', { PATH: folder, XDG_CACHE_HOME: folder });

describe('a server', () => {
  it('that is installed is used', async () => {
    expect(await find()).toHaveProperty('missing');
    const path = program('etcd', '');
    expect(await find()).toEqual({ path });
  });

  it('is missing with a reason where there is no Debian', async () => {
    expect(await find()).toEqual({
      missing: 'etcd is not installed, and there is no apt-get to fetch it with',
    });
  });

  it('is missing with the reason of apt-get, and nothing stays behind', async () => {
    program('apt-get', 'echo "Reading" >&2; echo "E: Unable to locate package" >&2; exit 100');
    program('dpkg-deb', '');
    expect(await find()).toEqual({
      missing: 'etcd is not installed, and E: Unable to locate package',
    });
    expect(readdirSync(cache())).toEqual([]);
  });

  it('is unpacked from Debian’s package, once, however many ask for it at the same time', async () => {
    program('apt-get', `echo x >> "${folder}/fetched"; for last; do :; done; echo > "$last"_3.4_amd64.deb`);
    program('dpkg-deb', '/bin/mkdir -p "$3/usr/bin"; echo > "$3/usr/bin/etcd"');
    const path = join(cache(), `etcd-server-${process.arch}`, 'usr/bin/etcd');
    expect(await Promise.all([find(), find(), find()])).toEqual([{ path }, { path }, { path }]);
    expect(existsSync(path)).toBe(true);
    expect(readdirSync(cache())).toEqual([`etcd-server-${process.arch}`]);

    const fetched = readFileSync(join(folder, 'fetched'), 'utf8');
    expect(await find()).toEqual({ path });
    expect(readFileSync(join(folder, 'fetched'), 'utf8')).toBe(fetched);
  });

  it('is missing if the package is another', async () => {
    program('apt-get', 'echo > other.deb');
    program('dpkg-deb', '/bin/mkdir -p "$3/usr/share"');
    expect(await find()).toEqual({ missing: "etcd is not in Debian's package etcd-server" });
  });
});
