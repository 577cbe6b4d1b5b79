/**
 * The data of chunks alone: for clients of HTTP/1.0, which know no chunks and take the end of the connection as the end of the body,
 * and for what is read here.
 */
import { BODY_CHUNKED, Body } from './body.ts';
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

/** Of a chunked body that was found right while it came, as far as it is here. */
export function dataOf(chunks: Uint8Array): Uint8Array {
  const body = new Body();
  body.begin(BODY_CHUNKED, 0);
  const pieces: Uint8Array[] = [];
  let at = body.takeUntilData(chunks, 0, chunks.length);
  while (at >= 0 && body.inData && at < chunks.length) {
    const end = body.takeData(at, chunks.length);
    pieces.push(chunks.subarray(at, end));
    at = body.takeUntilData(chunks, end, chunks.length);
  }
  return Buffer.concat(pieces);
}
