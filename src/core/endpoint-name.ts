/** An endpoint of a fleet, by its three names. A nested namespace is written with dots (`a.b`). */
export interface EndpointName {
  readonly namespace: string;
  readonly component: string;
  readonly endpoint: string;
}
