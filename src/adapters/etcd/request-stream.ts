import type { IRequestStream, IResponseStream } from 'etcd3';
import { Observable } from 'rxjs';

/**
 * A raw stream of the server with one request on it: subscribing opens it and sends the request, unsubscribing
 * cancels it. Never completes; the end of the stream is an error.
 */
export function requestStream<Request, Answer>(
  open: () => Promise<IRequestStream<Request> & IResponseStream<Answer>>,
  request: Request,
): Observable<Answer> {
  return new Observable((subscriber) => {
    let stream: IRequestStream<Request> | undefined;
    open().then(
      (opened) => {
        // It stays after the end: the cancellation itself is told as an error, and must not end the process.
        opened.on('error', (error) => subscriber.error(error));
        if (subscriber.closed) return opened.cancel();
        stream = opened;
        opened.on('data', (answer) => subscriber.next(answer));
        opened.on('end', () => subscriber.error(new Error('the server closed the stream')));
        opened.write(request);
      },
      (error: unknown) => subscriber.error(error),
    );
    return () => stream?.cancel();
  });
}
