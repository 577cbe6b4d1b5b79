/**
 * What came of a request's body, kept until the exchange is over so that it can be sent, or sent again: what came before its
 * server was asked (`option http-buffer-request`), and with `retry-on` all of it, as far as a buffer holds it.
 *
 *   one buffer that pieces are copied into, and behind it the first piece that found no room there
 */
import type { Socket } from '../../reactor/socket.ts';
import type { Exchange } from './exchange.ts';
import { sayContinue } from './replies.ts';

export class StoredBody {
  /** The client was told to go on with its body, so that it need not hear it from another server, too. */
  said_continue = false;
  /** Not all that was sent is here: it cannot be sent again. */
  incomplete = false;
  private readonly exchange: Exchange;
  private buffer = -1;
  private length = 0;
  private rest_buffer = -1;
  private rest_offset = 0;
  private rest_length = 0;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  /** Some of the body is still to come, within `timeout http-request`. */
  begin(expects_continue: boolean): void {
    const { client, frontend, thread } = this.exchange;
    if (expects_continue) {
      this.said_continue = true;
      sayContinue(client);
    }
    client.goOnWithBody();
    if (!this.exchange.stores_body) return;
    client.arm(client.request_ms + frontend.request_ms - thread.reactor.now_ms);
  }

  /** A piece of the body before there is a server. Takes over one reference. */
  put(buffer: number, offset: number, length: number): void {
    const { client, thread } = this.exchange;
    const fits = this.copy(buffer, offset, length);
    if (fits) thread.reactor.buffers.release(buffer);
    else this.keepRest(buffer, offset, length);
    if (!client.body.done && fits) return;
    client.disarm();
    if (!client.body.done) client.pauseBody();
    this.exchange.bodyStored();
  }

  /** For those who read it here, which a page does. */
  get text(): string {
    return new TextDecoder('latin1').decode(this.bytes);
  }

  /** As they came, chunks and all. */
  get bytes(): Uint8Array {
    const { buffers } = this.exchange.thread.reactor;
    const offset = this.buffer < 0 ? 0 : buffers.offsetOf(this.buffer);
    return buffers.bytes.subarray(offset, offset + this.length);
  }

  /** `text` lacks nothing of what came. */
  get is_whole(): boolean {
    return this.rest_buffer < 0;
  }

  /** A piece that goes to the server at once, should it be needed again. The reference stays the caller's. */
  record(buffer: number, offset: number, length: number): void {
    if (this.incomplete || length === 0) return;
    this.incomplete = this.rest_buffer >= 0 || !this.copy(buffer, offset, length);
  }

  /** False: there is no room, or nobody can look at it. */
  private copy(buffer: number, offset: number, length: number): boolean {
    const { buffers } = this.exchange.thread.reactor;
    if (length === 0) return true;
    if (buffers.pipeOf(buffer) >= 0) return false;
    if (this.buffer < 0) this.buffer = buffers.takeSmall();
    if (this.buffer < 0 || this.length + length > buffers.sizeOf(this.buffer)) return false;
    buffers.bytes.copyWithin(buffers.offsetOf(this.buffer) + this.length, offset, offset + length);
    this.length += length;
    return true;
  }

  private keepRest(buffer: number, offset: number, length: number): void {
    this.rest_buffer = buffer;
    this.rest_offset = offset;
    this.rest_length = length;
  }

  /** May be called again. False: the socket has no room. */
  send(socket: Socket): boolean {
    const { buffers } = socket.reactor;
    if (this.length > 0) {
      buffers.retain(this.buffer);
      if (!socket.send(this.buffer, buffers.offsetOf(this.buffer), this.length)) return false;
    }
    if (this.rest_buffer < 0) return true;
    buffers.retain(this.rest_buffer);
    return socket.send(this.rest_buffer, this.rest_offset, this.rest_length);
  }

  clear(): void {
    const { buffers } = this.exchange.thread.reactor;
    if (this.buffer >= 0) buffers.release(this.buffer);
    if (this.rest_buffer >= 0) buffers.release(this.rest_buffer);
    this.buffer = -1;
    this.rest_buffer = -1;
    this.length = 0;
    this.said_continue = false;
    this.incomplete = false;
  }
}
