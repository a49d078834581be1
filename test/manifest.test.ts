import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { supportedPackages } from '../src/adapters/packages/load-package.js';
import { packageVersion } from '../src/service/package-version.js';

const root = join(import.meta.dirname, '..');
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

interface Manifest {
  readonly version: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly repository: { readonly url: string };
  readonly bugs: { readonly url: string };
  readonly homepage: string;
  readonly files: readonly string[];
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(read('package.json')) as Manifest;

describe('package.json', () => {
  it('has the version that the source carries (npm run build writes it)', () => {
    expect(packageVersion).toBe(manifest.version);
  });

  it('declares the ranges of the packages that are loaded', () => {
    const ranges = Object.entries(supportedPackages).map(([name, { min, below }]) => [
      name,
      `>=${min} <${below}`,
    ]);
    expect(manifest.peerDependencies).toMatchObject(Object.fromEntries(ranges));
  });

  it('brings the oldest version of every range, for the tests of the package', () => {
    const oldest = Object.entries(manifest.peerDependencies).map(([name, range]) => {
      const [, version = ''] = /^>=(\S+) </.exec(range) ?? [];
      const alias = `${name.replace('@', '').replace('/', '-')}-lowest`;
      return [alias, `npm:${name}@${version.split('.').length === 2 ? `${version}.0` : version}`];
    });
    expect(manifest.devDependencies).toMatchObject(Object.fromEntries(oldest));
  });

  it('has the address of the project', () => {
    const [, home = ''] = /^git\+(https:.*)\.git$/.exec(manifest.repository.url) ?? [];
    expect(home).toMatch(/^https:\/\/github\.com\/[^/]+\/tidemark$/);
    expect([manifest.bugs.url, manifest.homepage]).toEqual([`${home}/issues`, `${home}#readme`]);
  });
});

/** The targets of the links and pictures of a Markdown file that are in the repository. */
function ownLinks(path: string): string[] {
  const links = [...read(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return links.filter((target) => !/^(https?:|#)/.test(target));
}

describe('README', () => {
  // The page of a package on npm looks for relative links and pictures in the repository, from its root.
  const own = ownLinks('README.md');

  it.each(own)('%s is a file or folder of the repository, from its root', (target) => {
    expect(target).not.toMatch(/^(\.\.?)?\//);
  });

  it('the documents, pictures and examples it shows are in the package', () => {
    const shipped = manifest.files.map((pattern) => pattern.replace(/\.\*$/, '.'));
    const shown = own.filter((target) => /^(docs|marbles|examples)\b/.test(target));
    expect(shown.length).toBeGreaterThan(2);
    expect(shown.filter((target) => !shipped.some((start) => target.startsWith(start)))).toEqual([]);
  });
});

describe('links', () => {
  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
  ];
  const links = documents.flatMap((path) => ownLinks(path).map((target) => [path, target] as const));

  it.each(links)('%s: %s exists', (path, target) => {
    const [file = '', anchor] = join(dirname(path), target).split('#');
    expect(existsSync(join(root, file))).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(read(file))).toContain(anchor);
  });

  it.each(documents)('%s: anchors in the same file exist', (path) => {
    const anchors = [...read(path).matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
    expect(anchors.filter((anchor) => !anchorsOf(read(path)).includes(anchor ?? ''))).toEqual([]);
  });
});

/** The anchors of the headings of a Markdown file, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
