import { URL, fileURLToPath } from 'node:url';
import js from '@eslint/js';
import rxjsX from 'eslint-plugin-rxjs-x';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { exceptions as todaysExceptions } from './lint/exceptions.js';
import { folderRules } from './lint/folders.js';
import {
  against,
  dynamoNames,
  forbiddenImports,
  notInUnitTests,
  notOutsideProcesses,
  notOutsideStorage,
  typedErrors,
} from './lint/rules.js';

const root = fileURLToPath(new URL('..', import.meta.url));

const explicitExports = [
  {
    selector: 'ExportAllDeclaration',
    message: 'List the names: `export *` lets them leak.',
  },
  {
    selector: 'ExportDefaultDeclaration, ExportSpecifier[exported.name="default"]',
    message: 'Export by name.',
  },
];

const noPromises = 'Return an Observable: a Promise escapes virtual time.';

/**
 * The `sources` of a monitor, the one place where a property that holds an Observable has no `$`: it names a role,
 * which a user fills with a stream.
 */
const sourceRoles = '^(loads|configs|decodeInstances|prefillInstances|thresholds|events|status)$';

/** `$` ends the name of what holds an Observable, never of a function and never of a plain value. */
const withoutDollar = { format: null, custom: { regex: '\\$$', match: false } };

const noSleep = {
  name: 'node:timers/promises',
  importNames: ['setTimeout'],
  message: 'A test waits with `eventually` or a clock.',
};

/** The folders whose every input is an argument: no clock, no randomness, no waiting. */
const pureFolders = ['core', 'operators', 'wire'];
/** The folders that transport messages and keys without knowing their meaning. */
const transports = ['adapters/clock', 'adapters/connections', 'adapters/etcd', 'adapters/nats'];

const noPromisesSyntax = {
  selector: [
    ':function[async=true]',
    'AwaitExpression',
    'ForOfStatement[await=true]',
    'ImportExpression',
    'TSTypeReference[typeName.name=/^Promise(Like)?$/]',
  ].join(', '),
  message: noPromises,
};

/** The rules of one folder of `src`. */
function folderConfig(folder, exceptions) {
  const pure = pureFolders.includes(folder);
  const { imports, syntax } = against(
    forbiddenImports(folder),
    `The files of src/${folder} may not import this: see test/lint/folders.js.`,
  );
  const selectors = [
    ...explicitExports,
    ...typedErrors,
    syntax,
    notOutsideStorage.syntax,
    ...(pure ? [noPromisesSyntax] : []),
  ];
  const files = [`src/${folder}/**/*.ts`];
  const rules = {
    'no-restricted-syntax': ['error', ...selectors],
    'no-restricted-imports': [
      'error',
      {
        paths: pure
          ? [{ name: 'rxjs', importNames: ['firstValueFrom', 'lastValueFrom'], message: noPromises }]
          : [],
        patterns: [imports, notOutsideStorage.imports],
      },
    ],
    ...(pure && {
      'no-restricted-globals': [
        'error',
        { name: 'Date', message: 'Time is an argument: take it from a scheduler or an event.' },
        { name: 'Promise', message: noPromises },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Same input, same output: take a seed.' },
      ],
    }),
  };
  if (!transports.includes(folder)) return [{ files, rules }];
  const withoutNames = { 'no-restricted-syntax': ['error', ...selectors, dynamoNames] };
  return [
    { files, rules },
    { files, ignores: exceptions.dynamoNames, rules: withoutNames },
  ];
}

const folders = Object.keys(folderRules);

/** The whole configuration; `exceptions` are the files that may break a rule. */
export function configFor(exceptions) {
  const configs = defineConfig([
    globalIgnores(['dist/', 'node_modules/', 'test/fixtures/']),
    { linterOptions: { reportUnusedDisableDirectives: 'error' } },
    js.configs.recommended,
    // Prettier breaks lines before `[`, and types find the real mistake.
    { rules: { 'no-unexpected-multiline': 'off' } },
    {
      files: ['**/*.ts'],
      extends: [tseslint.configs.recommendedTypeChecked, rxjsX.configs.recommended],
      languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
      rules: {
        'no-restricted-syntax': ['error', ...explicitExports],
        '@typescript-eslint/consistent-type-imports': 'error',
        '@typescript-eslint/naming-convention': [
          'error',
          {
            selector: ['function', 'classMethod', 'typeMethod', 'objectLiteralMethod'],
            ...withoutDollar,
          },
          {
            selector: ['variable', 'parameter', 'property'],
            types: ['function', 'boolean', 'string', 'number', 'array'],
            ...withoutDollar,
          },
        ],
        'rxjs-x/finnish': [
          'error',
          {
            functions: false,
            methods: false,
            parameters: false,
            names: { [sourceRoles]: false },
            // The rule would also have a variable end in `$` that holds a function which returns an Observable.
            types: { '^(__function|__type|UnaryFunction|OperatorFunction|MonoTypeOperatorFunction)$': false },
          },
        ],
        'rxjs-x/no-exposed-subjects': 'error',
      },
    },
    {
      files: ['src/**/*.ts'],
      rules: { 'rxjs-x/no-ignored-error': 'error' },
    },
    {
      files: ['src/**/*.ts'],
      rules: { 'max-lines': ['error', 400] },
    },
    {
      files: ['src/**/*.ts'],
      rules: {
        '@typescript-eslint/triple-slash-reference': [
          'error',
          { lib: 'never', path: 'never', types: 'never' },
        ],
      },
    },
    {
      files: ['src/**/*.ts'],
      ignores: folders.map((folder) => `src/${folder}/**`),
      rules: {
        'no-restricted-syntax': [
          'error',
          { selector: 'Program', message: 'Give this folder a row in test/lint/folders.js.' },
        ],
      },
    },
    ...folders.flatMap((folder) => folderConfig(folder, exceptions)),
    {
      files: ['test/**/*.{js,ts}'],
      ignores: ['test/support/processes.ts', ...exceptions.processStarters],
      rules: {
        'no-restricted-imports': ['error', { patterns: [notOutsideProcesses.imports] }],
        'no-restricted-syntax': ['error', ...explicitExports, notOutsideProcesses.syntax],
      },
    },
    {
      // Faults last as long as they last only in the lane `nightly`.
      files: ['test/**/*.test.ts'],
      ignores: ['test/**/*.nightly.test.ts'],
      rules: {
        'no-restricted-imports': ['error', { paths: [noSleep], patterns: [notOutsideProcesses.imports] }],
      },
    },
    {
      files: ['test/**/*.test.ts'],
      ignores: ['servers', 'product', 'nightly'].map((suffix) => `test/**/*.${suffix}.test.ts`),
      rules: {
        'no-restricted-imports': ['error', { paths: [noSleep], patterns: [notInUnitTests.imports] }],
        'no-restricted-syntax': ['error', ...explicitExports, notInUnitTests.syntax],
      },
    },
    {
      files: ['examples/**/*.js'],
      languageOptions: {
        globals: Object.fromEntries(
          ['console', 'fetch', 'process', 'TextDecoderStream', 'URL'].map((name) => [name, 'readonly']),
        ),
      },
    },
    {
      files: ['test/*.config.{js,ts}'],
      rules: { 'no-restricted-syntax': 'off' },
    },
  ]);
  // Paths count from the root, wherever eslint is started.
  return configs.map((config) => ({ ...config, basePath: root }));
}

export default configFor(todaysExceptions);
