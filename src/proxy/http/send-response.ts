/** The head of a response on its way to the client: as it came if it may, else written anew, with what of the body came with it. */
import { passDechunked } from './dechunk.ts';
import type { Exchange } from './exchange.ts';
import { responseMalformed } from './failures.ts';
import { responseMustChange, TOO_LONG, writeResponse } from './rewrite.ts';
import type { ServerConnection } from './server-connection.ts';

/**
 * Sends the head and [head_end, end) after it. Takes over one reference. False: no room, and the exchange is over.
 */
export function sendHead(exchange: Exchange, buffer: number, head_end: number, end: number): boolean {
  const { response, writer } = exchange.thread;
  const { buffers } = exchange.thread.reactor;
  if (!responseMustChange(exchange, response)) {
    return exchange.passToClient(buffer, response.start, end - response.start);
  }
  const written = writeResponse(exchange, response);
  if (written < 0) {
    buffers.release(buffer);
    if (written === TOO_LONG) exchange.fail(502, 'P', 'H');
    else exchange.abort('R', 'H');
    return false;
  }
  const offset = buffers.offsetOf(written);
  if (end - head_end <= offset + buffers.sizeOf(written) - writer.end) {
    writer.copy(head_end, end);
    buffers.release(buffer);
    return exchange.passToClient(written, offset, writer.end - offset);
  }
  if (exchange.passToClient(written, offset, writer.end - offset)) {
    return exchange.passToClient(buffer, head_end, end - head_end);
  }
  buffers.release(buffer);
  return false;
}

/** What came of a chunked body with its head, without the chunks. Takes over one reference. */
export function sendDechunked(
  exchange: Exchange,
  connection: ServerConnection,
  buffer: number,
  offset: number,
  end: number,
): void {
  const taken = passDechunked(exchange, connection.body, buffer, offset, end);
  exchange.thread.reactor.buffers.release(buffer);
  if (!exchange.answering) return;
  if (taken < 0) responseMalformed(exchange);
  else if (connection.body.done) exchange.responseComplete(connection, offset + taken < end);
  else connection.armServer();
}

/** 100, 103 …: on to the client, unless it has heard that already. Takes over one reference. */
export function sendInterim(exchange: Exchange, buffer: number, offset: number, length: number): void {
  const { client, stored, thread } = exchange;
  const goes_on = thread.response.status === 100;
  if (exchange.client_minor === 0 || (goes_on && stored.said_continue)) {
    thread.reactor.buffers.release(buffer);
    return;
  }
  if (goes_on) stored.said_continue = true;
  else exchange.hinted = true;
  client.socket.send(buffer, offset, length);
}
