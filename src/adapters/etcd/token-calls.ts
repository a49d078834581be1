import type { ICallable } from 'etcd3';

/** Where the clients of the services come from. */
export type Connections = Pick<ICallable<unknown>, 'withConnection'>;

type Connection = Parameters<Parameters<Connections['withConnection']>[1]>[0];
type Unary = (
  request: unknown,
  metadata: Connection['metadata'],
  options: { readonly deadline: number },
  answered: (error: Error | null, answer: unknown) => void,
) => void;

/**
 * Calls that carry a token and end after a time.
 *
 * etcd3 repeats a call with a refused token without end; here it fails once, and whoever called gets a new token.
 */
export function tokenCalls(
  connections: Connections,
  token: () => string | null,
  deadlineMs: number,
): ICallable<unknown> {
  const withConnection: Connections['withConnection'] = (service, call) =>
    connections.withConnection(service, (connection) => {
      const { metadata } = connection;
      // A watch on a server that has lost its majority then ends, and is not only silent.
      metadata.set('hasleader', 'true');
      const present = token();
      if (present !== null) metadata.set('token', present);
      return call(connection);
    });
  return {
    withConnection,
    exec: <T>(service: Parameters<typeof withConnection>[0], method: string, request: unknown) =>
      withConnection<T>(service, ({ client, metadata }) => {
        const methods = client as unknown as Record<string, Unary>;
        return new Promise((resolve, reject) => {
          // gRPC reads the wall clock for a deadline, so it is made at the moment of the call.
          methods[method]?.(request, metadata, { deadline: Date.now() + deadlineMs }, (error, answer) =>
            error === null ? resolve(answer as T) : reject(error),
          );
        });
      }),
    // The session ends with its first error, and the connection with it.
    markFailed: () => undefined,
    callOptionsFactory: undefined,
  };
}
