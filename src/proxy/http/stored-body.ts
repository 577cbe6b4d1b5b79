/**
 * What came of a request's body before its server was asked (`option http-buffer-request`): all of it, or as much as a buffer
 * holds. Kept until the exchange is over, so that it can be sent again.
 */
import type { Socket } from '../../reactor/socket.ts';
import type { Exchange } from './exchange.ts';

/** HAProxy's tune.bufsize less tune.maxrewrite. */
const MOST_BYTES = 15 * 1024;
const MOST_SLICES = 64;

export class StoredBody {
  /** The client was told to go on with its body, so that it need not hear it from the server, too. */
  said_continue = false;
  private readonly exchange: Exchange;
  private bytes = 0;
  /** Buffer, offset, length; and again. */
  private readonly slices: number[] = [];

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  /** Some of the body is still to come, within `timeout http-request`. */
  begin(expects_continue: boolean): void {
    const { client, frontend, thread } = this.exchange;
    if (expects_continue) {
      this.said_continue = true;
      client.sayContinue();
    }
    client.goOnWithBody();
    if (!this.exchange.stores_body) return;
    client.arm(client.request_ms + frontend.request_ms - thread.reactor.now_ms);
  }

  /** Takes over one reference. */
  put(buffer: number, offset: number, length: number): void {
    const { client } = this.exchange;
    this.slices.push(buffer, offset, length);
    this.bytes += length;
    const full = this.bytes >= MOST_BYTES || this.slices.length >= 3 * MOST_SLICES;
    if (!client.body.done && !full) return;
    client.disarm();
    if (!client.body.done) client.pauseBody();
    this.exchange.bodyStored();
  }

  /** May be called again. False: the socket has no room. */
  send(socket: Socket): boolean {
    const { buffers } = socket.reactor;
    for (let at = 0; at < this.slices.length; at += 3) {
      buffers.retain(this.slices[at]);
      if (!socket.send(this.slices[at], this.slices[at + 1], this.slices[at + 2])) return false;
    }
    return true;
  }

  clear(): void {
    const { buffers } = this.exchange.thread.reactor;
    for (let at = 0; at < this.slices.length; at += 3) buffers.release(this.slices[at]);
    this.slices.length = 0;
    this.bytes = 0;
    this.said_continue = false;
  }
}
