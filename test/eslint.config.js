import { URL, fileURLToPath } from 'node:url';
import js from '@eslint/js';
import rxjsX from 'eslint-plugin-rxjs-x';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The rooms whose every input is an argument: no clock, no chance, nothing that waits. */
const pureRooms = ['src/core/**/*.ts', 'src/operators/**/*.ts', 'src/wire/**/*.ts'];

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
    files: pureRooms,
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'Date', message: 'Time is an argument: take it from a scheduler or an event.' },
        { name: 'Promise', message: noPromises },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Same input, same output: take a seed.' },
      ],
      'no-restricted-imports': [
        'error',
        { name: 'rxjs', importNames: ['firstValueFrom', 'lastValueFrom'], message: noPromises },
      ],
      'no-restricted-syntax': [
        'error',
        ...explicitExports,
        {
          selector: [
            ':function[async=true]',
            'AwaitExpression',
            'ForOfStatement[await=true]',
            'ImportExpression',
            'TSTypeReference[typeName.name=/^Promise(Like)?$/]',
          ].join(', '),
          message: noPromises,
        },
      ],
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

/** Paths count from the root, wherever eslint is started. */
export default configs.map((config) => ({ ...config, basePath: root }));
