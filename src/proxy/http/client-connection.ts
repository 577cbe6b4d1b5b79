/**
 * A client's HTTP/1 connection: requests one after the other, each handed to the connection's exchange.
 *
 *            first byte          head complete              body complete           response sent
 *   IDLE ──────────────▶ HEAD ──────────────▶ BODY ──────────────────▶ ANSWERING ───────────────▶ IDLE
 *                          │                    └───── no body ───────────▲
 *                          └─ malformed, too slow ─▶ LEAVING (a last reply goes out) ─▶ closed
 *
 *   IDLE for a while: its socket goes on in a ParkedConnection, and this object to another client.
 *   TUNNEL: after 101 both sides' bytes pass as they come.
 *
 * What arrives out of turn (pipelined requests, a body before its server is connected) waits in the inbox; the socket's
 * allowance bounds it.
 */
import { SMALL_BYTES } from '../../reactor/buffers.ts';
import { OPEN, type Socket, type SocketOwner } from '../../reactor/socket.ts';
import { Timer } from '../../reactor/timers.ts';
import type { Row } from '../../threads/counters.ts';
import { bindCountersOf } from '../ends.ts';
import type { Frontend } from '../frontend.ts';
import { Peer } from '../peer.ts';
import type { ProxyThread } from '../proxy-thread.ts';
import { isClearlyAddressed } from './addressee.ts';
import { BODY_MALFORMED, BODY_NONE, Body } from './body.ts';
import { clientTimedOut } from './client-timeouts.ts';
import type { ErrorStatus } from './error-replies.ts';
import { Exchange } from './exchange.ts';
import { clientEnded, clientFailed, clientGone } from './failures.ts';
import { beginBody, clientMayKeep } from './framing.ts';
import { Inbox } from './inbox.ts';
import { PARK_AFTER_MS, type ParkedConnection } from './parked-connection.ts';
import { INCOMPLETE, MALFORMED, parseLax, parseRequest, skipEmptyLines, VERSION_NOT_SUPPORTED } from './parse-head.ts';
import { PartialHead } from './partial-head.ts';
import { sendError } from './replies.ts';
import { IDLE as SERVER_IDLE, type ServerConnection } from './server-connection.ts';
import type { Tunnel } from './tunnel.ts';

export const IDLE = 0;
export const HEAD = 1;
export const BODY = 2;
export const ANSWERING = 3;
export const TUNNEL = 4;
export const LEAVING = 5;

/** HAProxy's tune.bufsize less tune.maxrewrite. */
export const MAX_HEAD_BYTES = SMALL_BYTES - 1024;
/** Bodies with more than this to come are read into large buffers. */
export const BULK_BYTES = 64 * 1024;
/** How long a connection that was told goodbye may take to close its side. */
const LINGER_MS = 2_000;
/** Most are answered before this. */
const LISTEN_AFTER_MS = 20;

export class ClientConnection implements SocketOwner {
  readonly thread: ProxyThread;
  readonly frontend: Frontend;
  readonly exchange: Exchange;
  readonly body = new Body();
  socket: Socket;
  /** Those of its bind (`option socket-stats`). */
  bind_counters: Row | null = null;
  state = IDLE;
  accepted_ms = 0;
  /** When waiting for the present request began: at the start, or when the one before was over. */
  idle_ms = 0;
  /** When the present request's first byte came. */
  request_ms = 0;
  requests = 0;
  /** False: nothing was asked of its socket since the first piece of its first request. */
  listens = false;
  /** It sends nothing after its request: closing at once destroys nothing. */
  private said_close = false;
  /** Lies idle for this client alone. */
  own: ServerConnection | null = null;
  private readonly inbox: Inbox;
  private readonly peer = new Peer();
  private readonly timer: Timer;
  private readonly partial: PartialHead;

  constructor(frontend: Frontend) {
    this.frontend = frontend;
    this.thread = frontend.thread;
    this.socket = this.thread.no_socket;
    this.exchange = new Exchange(this);
    this.inbox = new Inbox(this.thread.reactor);
    this.partial = new PartialHead(this.thread.reactor.buffers);
    this.timer = new Timer(() => clientTimedOut(this));
  }

  begin(socket: Socket): void {
    this.socket = socket;
    this.bind_counters = bindCountersOf(socket);
    this.peer.forget();
    if (this.frontend.log) this.peer.learn(socket); // it may be gone when the line is written
    this.state = IDLE;
    this.requests = 0;
    this.accepted_ms = this.thread.reactor.now_ms;
    this.idle_ms = this.accepted_ms;
    this.request_ms = this.accepted_ms;
    this.arm(this.frontend.request_ms);
    this.listens = false;
    socket.receiveOnce();
  }

  /** A parked client has said something: it goes on between two requests. */
  resume({ socket, accepted_ms, idle_ms, requests }: ParkedConnection): void {
    this.socket = socket;
    this.bind_counters = bindCountersOf(socket);
    this.peer.forget();
    if (this.frontend.log) this.peer.learn(socket);
    this.state = IDLE;
    this.requests = requests;
    this.accepted_ms = accepted_ms;
    this.idle_ms = idle_ms;
    this.listens = true;
    socket.owner = this;
  }

  /** It is heard from now on, whatever it says. */
  listen(): void {
    this.listens = true;
    this.socket.receive();
  }

  onData(_socket: Socket, buffer: number, offset: number, length: number): void {
    if (this.state <= HEAD) {
      this.takeHead(buffer, offset, offset + length);
    } else if (this.state === BODY && this.exchange.takes_body && this.inbox.empty) {
      this.takeBody(buffer, offset, offset + length);
    } else if (this.state === TUNNEL) {
      this.exchange.tunnel?.passToServer(buffer, offset, length);
    } else if (this.state === LEAVING) {
      this.thread.reactor.buffers.release(buffer);
    } else {
      if (!this.hearsEnd) this.socket.pause();
      if (!this.inbox.put(buffer, offset, length)) this.close();
    }
  }

  // ── heads ─────────────────────────────────────────────────────────────────────────────────────

  private takeHead(buffer: number, offset: number, end: number): void {
    if (this.state === IDLE) {
      this.state = HEAD;
      const { now_ms } = this.thread.reactor;
      if (this.requests > 0) {
        this.request_ms = now_ms;
        this.arm(this.frontend.request_ms);
      }
    }
    const { partial } = this;
    if (partial.empty) {
      this.parseHead(buffer, offset, end);
      return;
    }
    if (partial.takeInLine(offset, end)) {
      this.thread.reactor.buffers.release(buffer);
      return;
    }
    const taken = partial.append(offset, end);
    if (taken < 0 || taken === end - offset) this.thread.reactor.buffers.release(buffer);
    else if (!this.putBack(buffer, offset + taken, end - offset - taken)) return;
    if (taken < 0) this.reject(503);
    else this.parseHead(partial.take(), partial.start, partial.end);
  }

  /** For later: what came with something else. Takes over one reference. False: no room, and the connection is lost. */
  private putBack(buffer: number, offset: number, length: number): boolean {
    this.socket.pause();
    const put = this.inbox.putFirst(buffer, offset, length);
    if (!put) this.close();
    return put;
  }

  private parseHead(buffer: number, offset: number, end: number): void {
    const { bytes } = this.thread.reactor.buffers;
    const start = skipEmptyLines(bytes, offset, end);
    const request = this.thread.request;
    let result = parseRequest(bytes, start, end, request);
    if (result === MALFORMED && this.frontend.config.http.lax_requests) {
      result = parseLax(parseRequest, bytes, start, end, request);
      if (result > 0) this.thread.bad_messages.takeRequest(this, bytes.subarray(start, end), true);
    }
    if (result > 0 && result - start <= MAX_HEAD_BYTES) {
      this.beginExchange(buffer, end);
    } else if (result === INCOMPLETE && end - start < MAX_HEAD_BYTES) {
      this.partial.keep(buffer, start, end);
      if (!this.listens) this.listen();
    } else {
      this.refuse(buffer, start, end, result === VERSION_NOT_SUPPORTED ? 505 : 400);
    }
  }

  /** [start, end) is a head, and perhaps some of its body, that cannot be read. Takes over one reference. */
  private refuse(buffer: number, start: number, end: number, status: ErrorStatus): void {
    const { buffers } = this.thread.reactor;
    this.thread.bad_messages.takeRequest(this, buffers.bytes.subarray(start, end), true);
    buffers.release(buffer);
    this.reject(status);
  }

  /** The thread's request message is filled; [message.end, end) of the buffer follows the head. */
  private beginExchange(buffer: number, end: number): void {
    const { request } = this.thread;
    const { buffers } = this.thread.reactor;
    const readable = isClearlyAddressed(buffers.bytes, request) && beginBody(this.body, request);
    const taken = readable ? this.body.take(buffers.bytes, request.end, end) : BODY_MALFORMED;
    if (taken === BODY_MALFORMED) {
      this.refuse(buffer, request.start, end, 400);
      return;
    }
    const first_end = request.end + taken;
    if (first_end < end) {
      buffers.retain(buffer);
      if (!this.putBack(buffer, first_end, end - first_end)) {
        buffers.release(buffer);
        return;
      }
    }
    this.requests++;
    this.said_close = !clientMayKeep(request);
    this.state = this.body.done ? ANSWERING : BODY;
    this.disarm();
    if (!this.listens) this.listenOn();
    if (!this.body.done) this.socket.pause(); // until a server takes it; what is here already still comes
    this.exchange.begin(buffer, first_end);
    if (this.hearsEnd && !this.inbox.empty) this.listen();
  }

  /** Its end ends its request (`option abortonclose`), so it is read on, as far as its allowance goes. */
  private get hearsEnd(): boolean {
    return this.state === ANSWERING && this.exchange.rules.aborts_on_close;
  }

  /** A client that has said all is soon answered and closed, as a rule: listening would only have to be undone. */
  private listenOn(): void {
    if (this.said_close && this.body.kind === BODY_NONE) this.arm(LISTEN_AFTER_MS);
    else if (!this.body.done || this.inbox.empty) this.listen();
  }

  // ── bodies ────────────────────────────────────────────────────────────────────────────────────

  private takeBody(buffer: number, offset: number, end: number): void {
    const { buffers } = this.thread.reactor;
    const taken = this.body.take(buffers.bytes, offset, end);
    if (taken === BODY_MALFORMED) {
      this.thread.bad_messages.takeRequest(this, buffers.bytes.subarray(offset, end), false);
      buffers.release(buffer);
      clientFailed(this.exchange, 400);
      return;
    }
    const left = end - offset - taken;
    if (left > 0) {
      buffers.retain(buffer);
      if (!this.putBack(buffer, offset + taken, left)) {
        buffers.release(buffer);
        return;
      }
    }
    if (this.body.done) {
      this.state = ANSWERING;
      this.socket.setBulk(false);
      this.disarm();
    } else if (!this.exchange.stores_body) {
      this.arm(this.frontend.client_ms);
    }
    this.exchange.passBody(buffer, offset, taken);
  }

  /** The exchange's server is connected: the rest of the body may come. */
  goOnWithBody(): void {
    while (this.state === BODY && !this.inbox.empty) this.takeFromInbox();
    if (this.state !== BODY) return;
    if (this.body.expected > BULK_BYTES && !this.exchange.stores_body) {
      this.socket.setBulk(true);
      this.socket.allowSplice(this.body.unframed);
    }
    this.arm(this.frontend.client_ms);
    this.socket.receive();
  }

  /** The exchange can take no more for now. */
  pauseBody(): void {
    this.socket.pause();
  }

  private takeFromInbox(): void {
    const node = this.inbox.first;
    const { slices } = this.thread.reactor;
    const [buffer, offset, length] = [slices.buffer[node], slices.offset[node], slices.length[node]];
    this.inbox.drop();
    if (this.state === BODY) this.takeBody(buffer, offset, offset + length);
    else this.takeHead(buffer, offset, offset + length);
  }

  takeOwn(): ServerConnection | null {
    const { own } = this;
    this.own = null;
    return own?.state === SERVER_IDLE ? own : null;
  }

  keepOwn(connection: ServerConnection): void {
    this.own = connection;
  }

  // ── replies ───────────────────────────────────────────────────────────────────────────────────

  /** The exchange is over and its reply is sent: the next request, if the client may send one. */
  next(keep_alive: boolean): void {
    if (this.socket.state !== OPEN) return; // and we are about to hear of it
    if (!keep_alive || (this.thread.closing && !this.frontend.successor)) {
      if (this.said_close && this.body.done && this.inbox.empty) this.close();
      else this.leave();
      return;
    }
    this.state = IDLE;
    this.idle_ms = this.thread.reactor.now_ms;
    this.request_ms = this.idle_ms;
    this.arm(Math.min(this.frontend.keep_alive_ms, PARK_AFTER_MS));
    while (this.state <= HEAD && !this.inbox.empty) this.takeFromInbox();
    if (this.state > HEAD) return;
    if (this.socket.ended) this.onEnd();
    else if (this.thread.closing && this.state === IDLE) this.leaveIfIdle();
    else this.listen();
  }

  /** There is no exchange to answer: a reply of our own, and goodbye. */
  reject(status: ErrorStatus, cause = 'P'): void {
    this.exchange.rejected(status, sendError(this, status, true), cause);
    this.leave();
  }

  /** Says goodbye after what is queued, and waits for the client's: closing at once could destroy the reply on its way. */
  leave(): void {
    if (this.state === LEAVING) return;
    this.state = LEAVING;
    this.inbox.clear();
    this.socket.allowSplice(0);
    this.socket.setBulk(false);
    if (this.socket.ended && this.socket.idle) {
      this.close();
      return;
    }
    this.socket.end();
    this.arm(this.socket.idle ? LINGER_MS : this.frontend.client_ms);
    this.socket.notify_drain = !this.socket.idle;
    if (!this.socket.ended) this.socket.receive();
  }

  beginTunnel(tunnel: Tunnel): void {
    this.state = TUNNEL;
    this.disarm();
    const { slices } = this.thread.reactor;
    while (!this.inbox.empty) {
      const node = this.inbox.first;
      const [buffer, offset, length] = [slices.buffer[node], slices.offset[node], slices.length[node]];
      this.inbox.drop();
      tunnel.passToServer(buffer, offset, length);
    }
    if (this.socket.ended) tunnel.clientEnded();
    else this.socket.receive();
  }

  // ── the socket's other events ─────────────────────────────────────────────────────────────────

  onConnect(): void {}

  onEnd(): void {
    switch (this.state) {
      case IDLE:
        this.noteLeft();
        this.close();
        return;
      case HEAD:
        this.reject(400, 'C');
        return;
      case BODY:
        clientGone(this.exchange);
        return;
      case TUNNEL:
        this.exchange.tunnel?.clientEnded();
        return;
      case LEAVING:
        if (this.socket.idle) this.close();
        else this.socket.notify_drain = true;
        return;
      default:
        clientEnded(this.exchange);
    }
  }

  onError(): void {
    if (this.state === BODY || this.state === ANSWERING || this.state === TUNNEL) clientGone(this.exchange);
    else this.noteLeft();
  }

  /** It went before its request was there, and nobody can be told but the log. */
  private noteLeft(): void {
    if (this.is_probe) return;
    const said_nothing = this.state === IDLE && this.requests === 0;
    if (this.state === HEAD || (said_nothing && this.frontend.config.log_null)) this.exchange.rejected(400, 0, 'C');
  }

  /** It has said nothing at all, and nobody wants to know of such clients. */
  get is_probe(): boolean {
    return this.state === IDLE && this.requests === 0 && this.frontend.config.http.ignore_probes;
  }

  onDrain(): void {
    if (this.state === TUNNEL) this.exchange.tunnel?.considerOver();
    else if (this.state !== LEAVING) this.exchange.replySent();
    else if (this.socket.ended) this.close();
    else this.arm(LINGER_MS);
  }

  onClosed(): void {
    this.forgetTimer();
    this.inbox.clear();
    this.partial.clear();
    this.exchange.abandon();
    this.takeOwn()?.close();
    const { admitted_by } = this.socket;
    this.forgetSocket();
    this.frontend.connectionGone(this, admitted_by);
  }

  close(): void {
    this.socket.close();
  }

  /** It is closed, or goes on without this object. */
  forgetSocket(): void {
    this.state = LEAVING;
    this.socket = this.thread.no_socket;
  }

  /** Between two requests it may go on with a later configuration; without one it is told goodbye. */
  leaveIfIdle(): void {
    const { successor } = this.frontend;
    if (this.state !== IDLE || this.socket.state !== OPEN) return;
    if (!successor) {
      if (this.requests > 0) this.close();
    } else if (this.inbox.empty && this.partial.empty && !this.socket.ended) {
      const { admitted_by } = this.socket;
      successor.adopt(this);
      this.forgetTimer();
      this.forgetSocket();
      this.frontend.connectionGone(this, admitted_by);
    }
  }

  /** The client's address as text, for X-Forwarded-For and the log; asked of the kernel once a connection. */
  get address_bytes(): Uint8Array {
    return this.peer.addressOf(this.socket);
  }

  get port(): number {
    return this.peer.portOf(this.socket);
  }

  // ── time ──────────────────────────────────────────────────────────────────────────────────────

  arm(after_ms: number): void {
    if (after_ms === Number.POSITIVE_INFINITY) this.disarm();
    else this.thread.reactor.timers.arm(this.timer, this.thread.reactor.now_ms + after_ms);
  }

  /** Armed no more, and forgotten: another client may be the next to use it. */
  forgetTimer(): void {
    this.thread.reactor.timers.remove(this.timer);
  }

  disarm(): void {
    this.thread.reactor.timers.disarm(this.timer);
  }
}
