/** What a client reads when there is no answer from a server: the status codes of HAProxy (manual, section 1.3.1). */

import type { ErrorFile } from '../../config/model.ts';

/** 200 is what a monitor gets. */
export type ErrorStatus = 200 | 400 | 403 | 408 | 500 | 501 | 502 | 503 | 504 | 505;

const explanations: Record<ErrorStatus, readonly [string, string]> = {
  200: ['OK', 'The site is in service.'],
  400: ['Bad Request', 'The request could not be understood.'],
  403: ['Forbidden', 'This request is not allowed here.'],
  408: ['Request Timeout', 'The request did not arrive in time.'],
  500: ['Internal Server Error', 'The balancer made a mistake.'],
  501: ['Not Implemented', 'The request asks for something that is not supported.'],
  502: ['Bad Gateway', 'The server sent no answer that could be understood.'],
  503: ['Service Unavailable', 'No server could take this request.'],
  504: ['Gateway Timeout', 'The server did not answer in time.'],
  505: ['HTTP Version Not Supported', 'Only HTTP/1.0 and HTTP/1.1 are spoken here.'],
};

function build(status: ErrorStatus, close: boolean): Uint8Array {
  const [reason, sentence] = explanations[status];
  const body = `<html><body><h1>${status} ${reason}</h1>\n${sentence}\n</body></html>\n`;
  const connection = close ? 'Connection: close\r\n' : '';
  return new TextEncoder().encode(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Length: ${body.length}\r\nCache-Control: no-cache\r\n` +
      `${connection}Content-Type: text/html\r\n\r\n${body}`,
  );
}

const statuses = Object.keys(explanations).map(Number) as ErrorStatus[];
const closing = new Map(statuses.map((status) => [status, build(status, true)]));
const keeping = new Map(statuses.map((status) => [status, build(status, false)]));

/** The whole reply, built once. */
export function errorReply(status: ErrorStatus, close: boolean): Uint8Array {
  return (close ? closing : keeping).get(status) as Uint8Array;
}

/** By status. */
export type ErrorReplies = ReadonlyMap<number, Uint8Array>;

/** The user's own: whole replies, sent as they are. */
export function ownReplies(files: readonly ErrorFile[]): ErrorReplies {
  return new Map(files.flatMap(({ status, content }) => (content === undefined ? [] : [[status, content] as const])));
}
