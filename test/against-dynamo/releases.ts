/** How a release is installed: arguments of `pip install`, one call each. */
interface DynamoRelease {
  readonly policy: 'dynamo-1.0' | 'dynamo-1.6';
  /** In whose layout the simulator speaks to it. */
  readonly generation: '1.0' | '1.6';
  readonly install: readonly (readonly string[])[];
}

export type ReleaseName = keyof typeof releases;

/** The releases of Dynamo that are tried. */
export const releases = {
  '1.0.1': {
    policy: 'dynamo-1.0',
    generation: '1.0',
    install: [['ai-dynamo-runtime==1.0.1', 'ai-dynamo==1.0.1']],
  },
  '1.6.1': {
    policy: 'dynamo-1.6',
    generation: '1.6',
    // One of its dependencies does not build, and is not needed; the others are named here.
    install: [
      ['ai-dynamo-runtime==1.6.1'],
      ['--no-deps', 'ai-dynamo==1.6.1'],
      [
        ...['aiohttp<4', 'certifi', 'fastapi', 'httpx', 'kubernetes<33', 'msgspec', 'prometheus-client<1'],
        ...['pydantic', 'pyyaml', 'pyzmq', 'redis<9', 'tqdm', 'transformers', 'uvloop', 'zstandard<1'],
      ],
    ],
  },
} as const satisfies Record<string, DynamoRelease>;
