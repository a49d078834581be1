/** The supported versions of a package: from `min` on, and older than the major version `below`. */
export interface SupportedVersions {
  readonly min: string;
  readonly below: number;
}

/** The optional packages that tidemark loads; `peerDependencies` in package.json declares the same ranges. */
export const supportedPackages = {
  '@noble/hashes': { min: '1.8.0', below: 3 },
  etcd3: { min: '1.0.1', below: 2 },
  fastify: { min: '5.0.0', below: 6 },
  nats: { min: '2.15.1', below: 3 },
  yaml: { min: '2.0.0', below: 3 },
} as const satisfies Readonly<Record<string, SupportedVersions>>;

export type PackageName = keyof typeof supportedPackages;
