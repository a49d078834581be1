/** What keeps this process alive, counted. */
export interface OpenHandles {
  /** TCP connections, accepted ones included, and those that are being made. */
  readonly sockets: number;
  readonly listeners: number;
  readonly timers: number;
}

const kinds: Readonly<Record<string, keyof OpenHandles>> = {
  TCPSocketWrap: 'sockets',
  TCPConnectWrap: 'sockets',
  TCPServerWrap: 'listeners',
  Timeout: 'timers',
};

/**
 * How many sockets, listeners and timers this process holds now, to be compared with a count made earlier. Whatever was
 * given `unref()` does not count: an idle gRPC channel hides its socket that way, a `FaultProxy` sees it.
 */
export function openHandles(): OpenHandles {
  const counts = { sockets: 0, listeners: 0, timers: 0 };
  for (const name of process.getActiveResourcesInfo()) {
    const kind = kinds[name];
    if (kind !== undefined) counts[kind] += 1;
  }
  return counts;
}
