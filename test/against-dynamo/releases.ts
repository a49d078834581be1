/** How to install each release: one list of arguments for each call of `pip install`. */
export const releases = {
  // The last release with an aggregator of scraped statistics.
  '0.6.0': [['ai-dynamo-runtime==0.6.0', 'ai-dynamo==0.6.0']],
  '1.0.1': [['ai-dynamo-runtime==1.0.1', 'ai-dynamo==1.0.1']],
  // One dependency does not build and is not needed, so the others are listed here.
  '1.6.1': [
    ['ai-dynamo-runtime==1.6.1'],
    ['--no-deps', 'ai-dynamo==1.6.1'],
    [
      ...['aiohttp<4', 'certifi', 'fastapi', 'httpx', 'kubernetes<33', 'msgspec', 'prometheus-client<1'],
      ...['pydantic', 'pyyaml', 'pyzmq', 'redis<9', 'tqdm', 'transformers', 'uvloop', 'zstandard<1'],
    ],
  ],
} as const satisfies Record<string, readonly (readonly string[])[]>;

export type ReleaseName = keyof typeof releases;

/** Releases whose frontends monitor load, with the policy and the layout of simulated workers. */
export const monitoring = {
  '1.0.1': { policy: 'dynamo-1.0', generation: '1.0' },
  '1.6.1': { policy: 'dynamo-1.6', generation: '1.6' },
} as const;

export type MonitoringRelease = keyof typeof monitoring;
