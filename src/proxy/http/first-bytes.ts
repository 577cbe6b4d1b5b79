/**
 * What a server gets at once: the request's head and what of its body came with it. Kept until the exchange is over, so that it
 * can be sent again and the log can show the request line.
 *
 *   as it came:       one slice of the received buffer
 *   written anew:     a slice of a new buffer, and a second one if the body has no room behind the head
 *   with the server's name, the end of the head between the two is written for each try (name-field.ts)
 */
import { sendProxyHeader } from '../proxy-protocol/send-header.ts';
import { sendBytes } from '../send-bytes.ts';
import type { Exchange } from './exchange.ts';
import { BLANK_LINE_BYTES } from './name-field.ts';
import { requestMustChange, TOO_LONG, writeRequest } from './rewrite.ts';
import type { ServerConnection } from './server-connection.ts';

export class FirstBytes {
  offset = 0;
  private buffer = -1;
  private length = 0;
  private rest_buffer = -1;
  private rest_offset = 0;
  private rest_length = 0;

  /**
   * The thread's request message is filled, and [request.end, end) is what came of the body. Takes over one reference. Returns 0, or
   * why it cannot be kept: 503 without a buffer to write another head into, 400 when that is too long.
   */
  keep(exchange: Exchange, buffer: number, end: number): 0 | 400 | 503 {
    const { request, writer, reactor } = exchange.thread;
    const { buffers } = reactor;
    if (exchange.thread.short_of_buffers) {
      // every request holds its head until it is answered: what is left is for answers
      buffers.release(buffer);
      return 503;
    }
    if (!requestMustChange(exchange, request)) {
      this.buffer = buffer;
      this.offset = request.start;
      this.length = end - request.start;
      return 0;
    }
    const written = writeRequest(exchange, request);
    if (written < 0) {
      buffers.release(buffer);
      return written === TOO_LONG ? 400 : 503;
    }
    this.buffer = written;
    this.offset = buffers.offsetOf(written);
    const name_field = exchange.backend?.name_field ?? null;
    const follows = end - request.end;
    const has_room = name_field === null && follows <= this.offset + buffers.sizeOf(written) - writer.end;
    if (follows === 0 || has_room) {
      writer.copy(request.end, end);
      buffers.release(buffer);
    } else {
      this.rest_buffer = buffer;
      this.rest_offset = request.end;
      this.rest_length = follows;
    }
    this.length = writer.end - this.offset - (name_field ? BLANK_LINE_BYTES : 0);
    return 0;
  }

  /** May be called again. A new connection begins with what `send-proxy` says. False: there is no buffer for that. */
  send(exchange: Exchange, { socket, server }: ServerConnection, is_new: boolean): boolean {
    const { buffers } = socket.reactor;
    const { send_proxy } = server.config;
    if (is_new && send_proxy && !sendProxyHeader(socket, exchange.client.socket, send_proxy, exchange.unique_id)) {
      return false;
    }
    buffers.retain(this.buffer);
    socket.send(this.buffer, this.offset, this.length);
    const name_field = exchange.backend?.name_field;
    if (name_field && !sendBytes(socket, name_field.lineFor(server.position))) return false;
    if (this.rest_buffer < 0) return true;
    buffers.retain(this.rest_buffer);
    return socket.send(this.rest_buffer, this.rest_offset, this.rest_length);
  }

  release(exchange: Exchange): void {
    const { buffers } = exchange.thread.reactor;
    if (this.buffer >= 0) buffers.release(this.buffer);
    if (this.rest_buffer >= 0) buffers.release(this.rest_buffer);
    this.buffer = -1;
    this.rest_buffer = -1;
  }
}
