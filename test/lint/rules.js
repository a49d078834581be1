import { readdirSync, readFileSync } from 'node:fs';
import { URL } from 'node:url';
import { folderRules } from './folders.js';

const root = new URL('../..', import.meta.url);

/** Every form of an import that the rule `no-restricted-imports` does not see. */
const otherImports = [
  'ImportExpression > Literal[value=PATTERN]',
  'ImportExpression > TemplateLiteral',
  'TSImportType Literal[value=PATTERN]',
  'TSExternalModuleReference > Literal[value=PATTERN]',
  'CallExpression[callee.name="require"] > Literal[value=PATTERN]',
];

/**
 * The names and subjects of Dynamo, as they are in strings, templates and regular expressions: its variables, the keys
 * of its discovery, its topics and the beginning of its event subjects.
 */
const DYNAMO_NAME = String.raw`\bDYN_|\bv1\\?\x2F|\b(instances|mdc|models|kv_routers)\\?\x2F|kv_metrics|kv_events|kv-hit-rate|active_sequences_events|load_metrics|\bnamespace\\?\.|\bdynamo[._-]`;

/** In selectors of ESLint a regular expression cannot hold a slash. */
const inSelector = (/** @type {string} */ pattern) => `/${pattern.replaceAll('/', String.raw`\x2F`)}/`;

/** Selectors for `no-restricted-syntax` that find Dynamo's names. */
export const dynamoNames = {
  selector: [
    `Literal[value=${inSelector(DYNAMO_NAME)}]`,
    `Literal[regex.pattern=${inSelector(DYNAMO_NAME)}]`,
    `TemplateElement[value.cooked=${inSelector(DYNAMO_NAME)}]`,
    'Identifier[name=/^DYN_/]',
  ].join(', '),
  message: 'A transport knows no subject, key or variable of Dynamo: take it as an argument.',
};

const plainError = '/^(Aggregate|Eval|Range|Reference|Syntax|Type|URI)?Error$/';

/** Selectors for `no-restricted-syntax` that find thrown errors without a code. */
export const typedErrors = [
  {
    selector: [
      `ThrowStatement > :matches(NewExpression, CallExpression)[callee.name=${plainError}]`,
      `CallExpression[callee.name="throwError"] > ArrowFunctionExpression > NewExpression[callee.name=${plainError}]`,
    ].join(', '),
    message: 'Throw a TidemarkError, which has a stable code.',
  },
  {
    selector: `:matches(ClassDeclaration, ClassExpression)[superClass.name=${plainError}]:not([id.name="TidemarkError"])`,
    message: 'Extend TidemarkError, which has a stable code.',
  },
];

/** A pattern for all that a folder may not import. */
export function forbiddenImports(/** @type {string} */ folder) {
  const { folders = [], npm = [], node } = folderRules[folder] ?? {};
  // A file imports its own folder, the files right above it, and the folders in the table.
  const own = readdirSync(new URL(`src/${folder}`, root), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const inside = [...own, ...folders].map((name) => `${name}/`);
  const packages =
    npm === 'any' ? declaredPackages().map((name) => `${name}(?:/|$)`) : npm.map((name) => `${name}$`);
  const allowed = [
    String.raw`\./`,
    String.raw`(?:\.\./)+[^./][^/]*$`,
    ...inside.map((name) => String.raw`(?:\.\./)+${name}`),
    ...packages,
    ...(node === true ? ['node:'] : []),
  ];
  return `^(?!${allowed.join('|')})`;
}

/** `no-restricted-imports` and selectors for `no-restricted-syntax` against the imports of a pattern. */
export function against(/** @type {string} */ pattern, /** @type {string} */ message) {
  return {
    imports: { regex: pattern, message },
    syntax: { selector: otherImports.join(', ').replaceAll('PATTERN', inSelector(pattern)), message },
  };
}

/** Word indices and status bits of the fast state. */
export const notOutsideStorage = against(
  String.raw`/storage/(?!(?:workers|table-slots)\.js$)`,
  'Only the storage knows word indices and status bits: use a method of Workers, in src/core/state/storage/workers.ts.',
);

/** Dependencies and peers: what is available after `npm install tidemark`. */
function declaredPackages() {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  return Object.keys({ ...dependencies, ...peerDependencies });
}

/** What a test of the lane `unit` may not import: servers, processes, sockets, and the build. */
export const notInUnitTests = against(
  [
    '^(?:node:)?(?:child_process|cluster|dgram|http|http2|https|net|tls|worker_threads)$',
    '^execa$',
    '^tidemark(?:/|$)',
    '/dist/',
    '/support/(?:build|certificates|describe-with|etcd-gateway|etcd-server|event-stream|fault-[a-z]+|free-port|http-call|nats-server|on-free-port|open-handles|processes|prometheus-server|run-cli|run-made-up-test|served-fleet|shared-servers|server-[a-z]+|socket-closed|watchdog)\\.js$',
  ].join('|'),
  'A unit test needs neither a server nor a process nor the build: name the file x.servers.test.ts or x.product.test.ts.',
);

/** Files that start processes. */
export const notOutsideProcesses = against(
  '^(?:node:)?child_process$|^execa$',
  'Start processes with test/support/processes.ts.',
);
