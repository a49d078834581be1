import type { IWatchRequest, IWatchResponse, WatchClient } from 'etcd3';
import { Observable } from 'rxjs';

type Stream = Awaited<ReturnType<WatchClient['watch']>>;

/** One raw watch stream: subscribing opens it and sends the request, unsubscribing cancels it. It never completes. */
export function watchStream(client: WatchClient, request: IWatchRequest): Observable<IWatchResponse> {
  return new Observable((subscriber) => {
    let stream: Stream | undefined;
    client.watch().then(
      (opened) => {
        // After the end too: the cancellation itself is told as an error, and must not end the process.
        opened.on('error', (error) => subscriber.error(error));
        if (subscriber.closed) return opened.cancel();
        stream = opened;
        stream.on('data', (answer) => subscriber.next(answer));
        stream.on('end', () => subscriber.error(new Error('the server closed the watch')));
        stream.write(request);
      },
      (error: unknown) => subscriber.error(error),
    );
    return () => stream?.cancel();
  });
}
