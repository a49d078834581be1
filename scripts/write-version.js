// Writes the version of package.json into the source, so that a bundle of the service carries it.
import { readFileSync, writeFileSync } from 'node:fs';
import { URL } from 'node:url';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
writeFileSync(
  new URL('../src/service/package-version.ts', import.meta.url),
  `/** The version in package.json; \`npm run build\` writes it. */\nexport const packageVersion = '${version}';\n`,
);
