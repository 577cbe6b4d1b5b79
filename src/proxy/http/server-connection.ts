/**
 * A connection to a server: serves one exchange after the other, and lies idle in its server's pool between them.
 *
 *   CONNECTING ──▶ HEAD (waiting for or reading a response head) ──▶ BODY ──▶ IDLE ──▶ HEAD …
 *                    └─ 101 ─▶ TUNNEL                                  └─▶ closed
 */
import type { Socket, SocketOwner } from '../../reactor/socket.ts';
import { Timer } from '../../reactor/timers.ts';
import { AddressPlace, type PinnedAddress } from '../../system/socket-address.ts';
import type { Mark } from '../marked-servers.ts';
import type { ProxyThread } from '../proxy-thread.ts';
import type { Server } from '../server.ts';
import { BODY_MALFORMED, Body } from './body.ts';
import { BULK_BYTES, MAX_HEAD_BYTES } from './client-connection.ts';
import { passDechunked } from './dechunk.ts';
import type { Exchange } from './exchange.ts';
import {
  refuseResponse,
  responseMalformed,
  serverEnded,
  serverFailed,
  serverMarked,
  serverSilent,
} from './failures.ts';
import { keep } from './kept-connections.ts';
import { INCOMPLETE, MALFORMED, parseLax, parseResponse } from './parse-head.ts';
import { PartialHead } from './partial-head.ts';
import { sendInterim } from './send-response.ts';

export const CONNECTING = 0;
export const HEAD = 1;
export const BODY = 2;
export const IDLE = 3;
export const TUNNEL = 4;
export const GONE = 5;

/** An idle connection is closed after this; most servers close theirs after 60 to 75 s. */
const IDLE_MS = 30_000;

export class ServerConnection implements SocketOwner {
  readonly thread: ProxyThread;
  readonly body = new Body(true);
  server: Server;
  socket: Socket;
  exchange: Exchange | null = null;
  state = GONE;
  /** Place in its server's pool, or -1. */
  idle_index = -1;
  /** Bytes of the present response have come: a failure now cannot be repeated. */
  answered = false;
  /** Requests that it was used for. */
  uses = 0;
  /** Its server knows the client by this connection: nobody else may use it. */
  is_private = false;
  /** Because its server asked it to log in: its client's requests belong to that server. */
  has_login = false;
  /** Where it leads; its server may be elsewhere by now. */
  private address: PinnedAddress | null = null;
  private readonly place = new AddressPlace();
  private received = 0;
  private readonly partial: PartialHead;
  private readonly timer: Timer;

  constructor(thread: ProxyThread, server: Server) {
    this.thread = thread;
    this.server = server;
    this.socket = thread.no_socket;
    this.partial = new PartialHead(thread.reactor.buffers);
    this.timer = new Timer(() => this.onTimer());
  }

  /** `timeout server` of the exchange's backend. */
  get server_ms(): number {
    return this.exchange?.backend?.server_ms ?? Number.POSITIVE_INFINITY;
  }

  /** False: no descriptor, or no address. */
  connect(server: Server, exchange: Exchange): boolean {
    const address = server.addressFor(exchange.client.socket, this.place);
    const { reactor } = this.thread;
    const socket =
      address && reactor.connect(this, address.family, address.address, address.length, 'request', server.prepare);
    if (!socket) return false;
    this.server = server;
    server.connectionOpened();
    this.address = server.address;
    this.socket = socket;
    this.exchange = exchange;
    this.state = CONNECTING;
    this.answered = false;
    this.uses = 1;
    this.has_login = false;
    this.is_private = server.config.send_proxy !== undefined || server.follows_client; // it says, or knows, whose it is
    return true;
  }

  /** It logs in for its client. */
  bindToClient(): void {
    this.is_private = true;
    this.has_login = true;
  }

  /** It leads to where its server is now. */
  get up_to_date(): boolean {
    return this.address === this.server.address;
  }

  /** An idle connection gets work again. */
  reuse(exchange: Exchange): void {
    this.exchange = exchange;
    this.state = HEAD;
    this.answered = false;
    this.uses++;
  }

  onConnect(_socket: Socket, error: number): void {
    const { exchange } = this;
    if (error !== 0) {
      this.exchange = null;
      exchange?.connectFailed(false);
      return;
    }
    this.state = HEAD;
    exchange?.connected();
    this.socket.receiveOnce(); // it may be closed after that
  }

  onData(_socket: Socket, buffer: number, offset: number, length: number): void {
    const { exchange } = this;
    if (!exchange) {
      // an idle server that speaks unasked is out of step
      this.thread.reactor.buffers.release(buffer);
      this.close();
    } else if (this.state === HEAD) {
      this.answered = true;
      this.takeHead(exchange, buffer, offset, offset + length);
    } else if (this.state === BODY) {
      this.takeBody(exchange, buffer, offset, offset + length);
    } else {
      exchange.tunnel?.passToClient(buffer, offset, length);
    }
    this.socket.receive();
  }

  // ── responses ─────────────────────────────────────────────────────────────────────────────────

  private takeHead(exchange: Exchange, buffer: number, offset: number, end: number): void {
    const { partial } = this;
    const { buffers } = this.thread.reactor;
    if (partial.empty) {
      this.parseHead(exchange, buffer, offset, end);
      return;
    }
    const taken = partial.append(offset, end);
    if (taken < 0) {
      buffers.release(buffer);
      responseMalformed(exchange);
      return;
    }
    this.parseHead(exchange, partial.take(), partial.start, partial.end);
    // what had no room behind the first pieces goes on by itself, if there still is somebody to take it
    if (taken < end - offset && this.state !== GONE) {
      this.onData(this.socket, buffer, offset + taken, end - offset - taken);
    } else buffers.release(buffer);
  }

  private parseHead(exchange: Exchange, buffer: number, offset: number, end: number): void {
    const { buffers } = this.thread.reactor;
    const { response, bad_messages } = this.thread;
    let result = parseResponse(buffers.bytes, offset, end, response);
    if (result === MALFORMED && exchange.backend?.config.http.lax_responses) {
      result = parseLax(parseResponse, buffers.bytes, offset, end, response);
      if (result > 0) bad_messages.takeResponse(exchange, buffers.bytes.subarray(offset, end), true);
    }
    if (result === INCOMPLETE && end - offset < MAX_HEAD_BYTES) {
      this.partial.keep(buffer, offset, end);
      return;
    }
    if (result <= 0 || result - offset > MAX_HEAD_BYTES) {
      refuseResponse(exchange, buffer, offset, end, true);
      return;
    }
    const { status } = response;
    if (status >= 100 && status < 200 && status !== 101) this.passInterim(exchange, buffer, offset, end);
    else exchange.respond(this, buffer, end);
  }

  /** 100, 103 …: on to the client, and the real response follows. */
  private passInterim(exchange: Exchange, buffer: number, offset: number, end: number): void {
    const { buffers } = this.thread.reactor;
    const interim_end = this.thread.response.end;
    buffers.retain(buffer);
    sendInterim(exchange, buffer, offset, interim_end - offset);
    if (interim_end < end && this.exchange === exchange) this.parseHead(exchange, buffer, interim_end, end);
    else buffers.release(buffer);
  }

  private takeBody(exchange: Exchange, buffer: number, offset: number, end: number): void {
    const { buffers } = this.thread.reactor;
    const taken = exchange.dechunks
      ? passDechunked(exchange, this.body, buffer, offset, end)
      : this.body.take(buffers.bytes, offset, end);
    if (taken === BODY_MALFORMED) {
      refuseResponse(exchange, buffer, offset, end, false);
      return;
    }
    this.received += taken;
    if (this.received > BULK_BYTES && !this.body.done) this.receiveBulk();
    const surplus = taken < end - offset;
    if (exchange.dechunks) buffers.release(buffer);
    else exchange.passToClient(buffer, offset, taken);
    if (this.exchange !== exchange) return;
    if (this.body.done) exchange.responseComplete(this, surplus);
    else this.armServer();
  }

  beginTunnel(): void {
    this.state = TUNNEL;
  }

  /** Long bodies come in large buffers. */
  chooseBuffers(): void {
    this.received = 0;
    if (this.body.expected > BULK_BYTES) this.receiveBulk();
  }

  private receiveBulk(): void {
    if (this.socket.bulk) return;
    this.socket.setBulk(true);
    if (!this.exchange?.dechunks) this.socket.allowSplice(this.body.unframed);
  }

  // ── the end of it ─────────────────────────────────────────────────────────────────────────────

  /** The exchange is done with this connection, and another one may use it. */
  becomeIdle(): void {
    const exchange = this.exchange as Exchange;
    this.exchange = null;
    this.state = IDLE;
    this.socket.allowSplice(0);
    this.socket.setBulk(false);
    this.arm(IDLE_MS);
    keep(exchange, this);
  }

  /** The server went down, or an active one came up (marked-servers.ts). */
  serverMarked(mark: Mark): void {
    if (this.exchange) serverMarked(this.exchange, mark);
    else this.close();
  }

  /** The exchange is done with this connection, and so are we. */
  abandon(): void {
    this.exchange = null;
    this.close();
  }

  onEnd(): void {
    const { exchange } = this;
    if (exchange) serverEnded(exchange, this);
    else this.close();
  }

  onError(): void {
    const { exchange } = this;
    this.exchange = null;
    this.server.forgetIdle(this);
    if (exchange) serverFailed(exchange, this.answered);
  }

  onDrain(): void {
    this.exchange?.tunnel?.considerOver();
  }

  onClosed(): void {
    this.thread.reactor.timers.remove(this.timer);
    this.server.forgetIdle(this);
    this.partial.clear();
    this.server.connectionGone();
    this.exchange = null;
    this.state = GONE;
    this.socket = this.thread.no_socket;
    this.thread.serverConnectionGone(this);
  }

  close(): void {
    this.server.forgetIdle(this);
    // nothing is lost by a reset of an idle connection, and no port has to wait for its second end
    if (this.state === IDLE) this.socket.reset();
    else this.socket.close();
  }

  arm(after_ms: number): void {
    const { reactor } = this.thread;
    if (after_ms === Number.POSITIVE_INFINITY) reactor.timers.disarm(this.timer);
    else reactor.timers.arm(this.timer, reactor.now_ms + after_ms);
  }

  /** The server is expected to read or to write. */
  armServer(): void {
    this.arm(this.server_ms);
  }

  private onTimer(): void {
    const { exchange } = this;
    if (!exchange) this.close();
    else if (exchange.tunnel) exchange.tunnel.onTimer();
    else if (this.state === CONNECTING) {
      this.exchange = null;
      this.close();
      exchange.connectFailed(true);
    } else serverSilent(exchange, this);
  }
}
