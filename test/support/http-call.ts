import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';

/** The answer of a server. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request with only the given headers, so that a content type may be missing. */
export function httpCall(
  url: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: OutgoingHttpHeaders; body?: string | Uint8Array | null } = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const length =
      body == null || 'transfer-encoding' in headers ? {} : { 'content-length': Buffer.byteLength(body) };
    const call = request(url, { method, headers: { ...headers, ...length }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(body ?? undefined);
  });
}
