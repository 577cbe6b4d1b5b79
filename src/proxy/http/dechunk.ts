/** For clients of HTTP/1.0, which know no chunks: the data alone, and the end of the connection as the end of the body. */
import type { Body } from './body.ts';
import type { Exchange } from './exchange.ts';

/** Passes the data in bytes[offset, end) on. Returns how many bytes were taken, or BODY_MALFORMED. Keeps no reference. */
export function passDechunked(exchange: Exchange, body: Body, buffer: number, offset: number, end: number): number {
  const { buffers } = exchange.thread.reactor;
  let at = offset;
  while (at < end && !body.done && exchange.answering) {
    at = body.takeUntilData(buffers.bytes, at, end);
    if (at < 0) return at;
    if (!body.inData || at === end) continue;
    const data_end = body.takeData(at, end);
    buffers.retain(buffer);
    exchange.passToClient(buffer, at, data_end - at);
    at = data_end;
  }
  return at - offset;
}
