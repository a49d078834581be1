/** How each release is installed: arguments of `pip install`, one list a call. */
export const releases = {
  // The last with an aggregator of scraped statistics.
  '0.6.0': [['ai-dynamo-runtime==0.6.0', 'ai-dynamo==0.6.0']],
  '1.0.1': [['ai-dynamo-runtime==1.0.1', 'ai-dynamo==1.0.1']],
  // One of its dependencies does not build, and is not needed; the others are named here.
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

/** Those whose frontends watch the load of workers: by which policy, and in whose layout the simulator speaks to them. */
export const monitoring = {
  '1.0.1': { policy: 'dynamo-1.0', generation: '1.0' },
  '1.6.1': { policy: 'dynamo-1.6', generation: '1.6' },
} as const;

export type MonitoringRelease = keyof typeof monitoring;
