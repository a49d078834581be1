import { httpCall } from './http-call.js';

interface Readiness {
  readonly missingSources: number;
  readonly sources: readonly { readonly source: string; readonly state: string; readonly why?: string }[];
}

/** The states of the sources of a service; `missing` for each one that has not reported yet. */
export async function sourceStates(url: string): Promise<string[]> {
  const { missingSources, sources } = JSON.parse((await httpCall(`${url}/readyz`)).body) as Readiness;
  return [...sources.map(({ state }) => state), ...Array<string>(missingSources).fill('missing')];
}
