/** Replies that are put together once, from what `http-error` and `errorloc` say, and then sent as they are. */

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  302: 'Found',
  303: 'See Other',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  407: 'Proxy Authentication Required',
  408: 'Request Time-out',
  410: 'Gone',
  413: 'Payload Too Large',
  425: 'Too Early',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Time-out',
};

/** What HAProxy's tune.bufsize is: it takes no longer one either. */
export const LONGEST_REPLY_BYTES = 16_384;

/** Where the body is a file of its own. */
export const LONGEST_HEAD_BYTES = 4096;

/** A reply without its body. */
export type ReplyHead = {
  readonly status: number;
  readonly content_type: string | undefined;
  /** Name and value. */
  readonly headers: readonly (readonly [string, string])[];
};

/** The whole of it; the connection ends behind it. */
export function storedReply({ status, content_type, headers }: ReplyHead, body: Uint8Array): Uint8Array {
  const fields = [...headers, ['content-length', String(body.length)]];
  if (content_type !== undefined && body.length > 0) fields.push(['content-type', content_type]);
  fields.push(['connection', 'close']);
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const head = new TextEncoder().encode(`HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}\r\n${lines}\r\n`);
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}
