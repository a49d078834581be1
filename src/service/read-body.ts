import type { IncomingMessage } from 'node:http';

/**
 * The body of a request, or `null` when it is larger than the limit. What is too much is not kept, and read on all the
 * same, so that a sender that hears only when it has sent everything hears the answer.
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const tooMuch = (): void => {
      chunks.length = 0;
      request.off('data', take);
      request.resume();
      resolve(null);
    };
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > limit) tooMuch();
      else chunks.push(chunk);
    };
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    if (Number(request.headers['content-length'] ?? 0) > limit) tooMuch();
    else request.on('data', take);
  });
}
