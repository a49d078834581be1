import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { runSync } from './support/processes.js';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Manifest {
  readonly name: string;
  readonly sideEffects?: boolean;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** The output of `npm pack --json` for one package. */
interface Packed {
  readonly files: readonly { readonly path: string }[];
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const doors = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
  typeof target === 'string' ? [] : [{ subpath, specifier: posix.join(manifest.name, subpath), target }],
);
describe('package.json', () => {
  it.each(doors)('$subpath leads to types and code that exist', ({ target }) => {
    expect(Object.keys(target)).toEqual(['types', 'default']);
    expect(Object.values(target).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('lists every name that a door hands out', () => {
    // A name more or less is a change for users. After `npm run build`,
    // `npx vitest run --config test/vitest.config.ts exports -u` writes the list; the commit message gives the reason.
    const names = Object.fromEntries(doors.map(({ specifier }) => [specifier, runtimeNames(specifier)]));
    expect(names).toMatchInlineSnapshot(`
      {
        "tidemark": [
          "LoadThresholdConfig",
          "MemoryKeys",
          "MemoryMessages",
          "PackageError",
          "ThresholdError",
          "TidemarkError",
          "UnknownPolicyError",
          "WorkerIdError",
          "busySets",
          "cleanups",
          "compareWorkerIds",
          "configEvents",
          "declaredRanks",
          "fleetStateOf",
          "instanceEvents",
          "isBusy",
          "judge",
          "loadEvents",
          "loadMonitor",
          "modelStateOf",
          "performCleanup",
          "policies",
          "policyCells",
          "policyNamed",
          "prefillEvents",
          "problems",
          "rankChecks",
          "reduceFleet",
          "thresholdEvents",
          "thresholdProblems",
          "transitions",
          "workerId",
          "workerIdFromBigInt",
          "workerIdFromHex",
        ],
        "tidemark/aggregator": [
          "AggregatorOptionsError",
          "ProcessedEndpoints",
          "ScrapeError",
          "aggregatorPolicies",
          "engineLoads",
          "kvActiveBlocks",
          "metricsAggregator",
          "readScrape",
        ],
        "tidemark/clock": [
          "monotonicScheduler",
        ],
        "tidemark/dynamo": [
          "ConfigsUnavailableError",
          "DiscoveryFold",
          "EndpointCollector",
          "FleetPools",
          "ForeignWorkersError",
          "InhibitedDurationError",
          "KvMetricsAggregator",
          "KvWorkerMonitor",
          "LoadAccounting",
          "ThresholdBook",
          "ThresholdBookError",
          "clientPolicies",
          "decodeDiscoveryRecord",
          "discoverWorkers",
          "discoveryPrefixes",
          "dynamoFleet",
          "eventChannelKey",
          "inhibitedDurationMs",
          "instanceClient",
          "instanceKey",
          "liveSimulator",
          "loadMessages",
          "loadSubject",
          "modelKey",
          "parseDiscoveryKey",
          "parseSubject",
          "receiveLoads",
          "registerWorker",
          "workerKeys",
        ],
        "tidemark/etcd": [
          "EtcdOptionsError",
          "registerKeys",
          "watchPrefix",
        ],
        "tidemark/fast": [
          "FleetLoad",
          "LoadBatch",
          "LoadBatchDecoder",
          "NO_VALUE",
          "WIDE_VALUE",
          "WorkerTable",
          "batchEvents",
        ],
        "tidemark/nats": [
          "NatsOptionsError",
          "natsMessages",
          "natsPublisher",
          "scrapeStats",
          "serveStats",
        ],
        "tidemark/operators": [
          "BackoffError",
          "attachLate",
          "inTurn",
          "retryWithBackoff",
          "setDifference",
          "trampoline",
        ],
        "tidemark/prometheus": [
          "MetricNameTakenError",
          "MetricsOptionsError",
          "SeriesCleanupError",
          "WorkerLatencies",
          "contentTypeFor",
          "legacyMetrics",
          "poolMetrics",
          "registryMetrics",
          "renderMetrics",
          "seriesCleanup",
          "tidemarkMetrics",
          "workerGauges",
        ],
        "tidemark/service": [
          "ServiceError",
          "frontendThresholds",
          "givenPool",
          "startService",
        ],
        "tidemark/simulator": [
          "FleetPlanError",
          "SimulatedRouter",
          "simulateFleet",
        ],
        "tidemark/testing": [
          "MarbleError",
          "assertMarble",
          "drawMarble",
          "failureText",
          "fakeSource",
          "firstStep",
          "fleetEvents",
          "fleetOperators",
          "keySourceCases",
          "messageSourceCases",
          "parseMarble",
          "playRecording",
          "runMarble",
          "sinkCases",
          "step",
          "updateMarble",
        ],
        "tidemark/wire": [
          "EndpointNameError",
          "LOAD_TOPIC",
          "LoadDecoder",
          "RecordingError",
          "ScopeError",
          "decodeForwardPassMetrics",
          "decodeServiceStats",
          "encodeActiveLoad",
          "encodeActiveLoadJson",
          "encodeEnvelope",
          "encodeForwardPassMetrics",
          "encodeInstanceRecord",
          "encodeModelRecord",
          "encodeSegment",
          "encodeServiceInfo",
          "encodeServicePing",
          "encodeServiceStats",
          "endpointPath",
          "parseEndpoint",
          "parseRecording",
          "serviceEndpointName",
          "serviceName",
          "serviceRequestSubject",
          "serviceSubject",
          "toSlug",
        ],
      }
    `);
  });

  it('promises bundlers that importing has no effect', () => {
    expect(manifest.sideEffects).toBe(false);
  });

  it('asks users for rxjs and nothing else', () => {
    const { peerDependencies = {}, peerDependenciesMeta = {} } = manifest;
    expect(
      Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true),
    ).toEqual(['rxjs']);
  });

  it.each(Object.entries(manifest.bin))('%s can be started', (_, path) => {
    expect(readFileSync(join(root, path), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(() => accessSync(join(root, path), constants.X_OK)).not.toThrow();
  });
});

describe('the package', () => {
  let packed: string[];
  beforeAll(() => {
    const [{ files }] = JSON.parse(run('npm', 'pack', '--dry-run', '--json', '--ignore-scripts')) as [Packed];
    packed = files.map(({ path }) => path);
  });

  it('holds what package.json points at', () => {
    const targets = [...doors.flatMap(({ target }) => Object.values(target)), ...Object.values(manifest.bin)];
    const wanted = ['LICENSE', 'README.md', 'package.json', ...targets.map((path) => posix.normalize(path))];
    expect(wanted.filter((path) => !packed.includes(path))).toEqual([]);
  });

  it('holds no tests and no configuration of tools', () => {
    expect(strangers(packed)).toEqual([]);
  });

  it('is searched for them', () => {
    expect(
      strangers([
        'dist/core/index.js',
        'src/testing/model.ts',
        'test/a.test.ts',
        'src/core/a.test.ts',
        'src/core/tsconfig.json',
        'src/tsconfig.base.json',
        'dist/core/.tsbuildinfo',
        '.ci/run',
      ]),
    ).toEqual([
      'test/a.test.ts',
      'src/core/a.test.ts',
      'src/core/tsconfig.json',
      'src/tsconfig.base.json',
      'dist/core/.tsbuildinfo',
      '.ci/run',
    ]);
  });
});

/** Files that users of the package do not need. */
function strangers(paths: readonly string[]): string[] {
  return paths.filter((path) => /^test\/|\.test\.|tsconfig|\.tsbuildinfo$|^\./.test(path));
}

/** The names at run time, so without types. A separate process imports them by the name of the package. */
function runtimeNames(specifier: string): string[] {
  const script = `import * as door from '${specifier}'; process.stdout.write(JSON.stringify(Object.keys(door)));`;
  return (JSON.parse(run(process.execPath, '--input-type=module', '-e', script)) as string[]).sort();
}

function run(command: string, ...args: string[]): string {
  return runSync(command, args, { cwd: root });
}
