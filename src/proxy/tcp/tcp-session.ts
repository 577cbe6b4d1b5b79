/**
 * `mode tcp`: a client and a server, and bytes both ways until both have said that they are done.
 *
 *   client ── FIN ──▶ server is told FIN, its bytes still come ── FIN ──▶ client is told FIN ──▶ both closed
 */

import type { Endpoint } from '../../config/model.ts';
import type { Admitter, Socket, SocketOwner } from '../../reactor/socket.ts';
import { Timer } from '../../reactor/timers.ts';
import { localAddress } from '../../system/peer-address.ts';
import { AddressPlace } from '../../system/socket-address.ts';
import type { Row } from '../../threads/counters.ts';
import { type Assignee, Assignment } from '../assignment.ts';
import type { Backend } from '../backend.ts';
import { countEnd } from '../count.ts';
import { bindCountersOf } from '../ends.ts';
import type { Frontend } from '../frontend.ts';
import { Inbox } from '../http/inbox.ts';
import type { Mark } from '../marked-servers.ts';
import { Peer } from '../peer.ts';
import { sendProxyHeader } from '../proxy-protocol/send-header.ts';
import type { ProxyThread } from '../proxy-thread.ts';
import type { Server } from '../server.ts';
import { TunnelTimeouts } from '../tunnel-timeouts.ts';

/** A client that does not have its server by then is listened to, in case it leaves; most have it long before. */
const UNHEARD_MS = 100;
/** After this much, a side is read into large buffers. */
const BULK_BYTES = 64 * 1024;

/** How long a client may take to say what its server is chosen by. */
const FIRST_BYTES_MS = 5_000;

/** One of the two ends. */
export class Side implements SocketOwner {
  readonly session: TcpSession;
  /** The server's side. */
  readonly is_upstream: boolean;
  socket: Socket;
  received = 0;
  constructor(session: TcpSession, is_upstream: boolean) {
    this.is_upstream = is_upstream;
    this.session = session;
    this.socket = session.thread.no_socket;
  }
  onConnect(_socket: Socket, error: number): void {
    this.session.connected(error);
  }
  onData(_socket: Socket, buffer: number, offset: number, length: number): void {
    this.received += length;
    if (this.received > BULK_BYTES && !this.socket.bulk) {
      this.socket.setBulk(true);
      this.socket.allowSplice(Number.POSITIVE_INFINITY);
    }
    this.session.pass(this, buffer, offset, length);
  }
  onEnd(): void {
    this.session.ended(this);
  }
  onError(): void {
    this.session.broke(this);
  }
  onDrain(): void {
    this.session.considerDone();
  }
  onClosed(socket: Socket): void {
    if (this.socket === socket) this.socket = this.session.thread.no_socket; // else a retry has another one already
    this.session.sideClosed();
  }
}

export class TcpSession implements Assignee {
  readonly thread: ProxyThread;
  readonly frontend: Frontend;
  readonly client: Side;
  readonly upstream: Side;
  readonly peer = new Peer();
  readonly assignment = new Assignment(this);
  accepted_ms = 0;
  private admitted_by: Admitter | null = null;
  bind_counters: Row | null = null;
  connected_ms = -1;
  /** Our end of the connection to the server, when the log wants it. */
  source: Endpoint | null = null;
  /** Its line is written already (`option logasap`). */
  private logged = false;
  /** There is no HTTP here. */
  readonly status = 0;
  readonly response_ms = -1;
  cause = '-';
  phase = '-';
  /** When the attempt to connect is over. */
  private connect_end_ms = 0;
  private open = 0;
  private over = true;
  private connecting = false;
  private readonly place = new AddressPlace();
  private awaits_first = false;
  /** What the client says before it has a server. */
  private readonly early: Inbox;
  private readonly timer: Timer;
  private readonly timeouts = new TunnelTimeouts();

  constructor(frontend: Frontend) {
    this.frontend = frontend;
    this.thread = frontend.thread;
    this.client = new Side(this, false);
    this.upstream = new Side(this, true);
    this.early = new Inbox(this.thread.reactor);
    this.timer = new Timer(() => this.onTimer());
  }

  get bytes_received(): number {
    return this.client.received;
  }

  get bytes_sent(): number {
    return this.upstream.received;
  }

  begin(socket: Socket): void {
    this.client.socket = socket;
    this.client.received = 0;
    this.upstream.received = 0;
    this.peer.forget();
    if (this.frontend.log) this.peer.learn(socket); // it may be gone when the line is written
    this.accepted_ms = this.thread.reactor.now_ms;
    this.admitted_by = socket.admitted_by;
    this.bind_counters = bindCountersOf(socket);
    this.connected_ms = -1;
    this.source = null;
    this.logged = false;
    this.cause = '-';
    this.phase = '-';
    const { facts } = this.thread;
    const { backend } = this.frontend.routes.choose(facts, this.frontend, socket, null);
    this.assignment.reset(backend);
    this.open = 1;
    this.over = false;
    backend?.enter();
    this.connecting = true;
    socket.owner = this.client; // it may be closed before we return
    const { hash_key, server_rules } = backend ?? {};
    if (server_rules)
      this.assignment.bound = server_rules.server(facts.about(this.frontend, backend, socket, null), false);
    if (hash_key?.ofSubject)
      this.assignment.hash = hash_key.ofSubject(facts.about(this.frontend, backend, socket, null));
    else if (hash_key) this.assignment.hash = hash_key.ofClient(this);
    if (hash_key?.ofFirstBytes) this.awaitFirstBytes();
    else this.assignBegin();
  }

  private assignBegin(): void {
    this.assignment.begin();
    if (this.connecting && this.assignment.waits) this.client.socket.receive(); // or nobody would hear that it leaves
  }

  /** What the client says first decides about its server; if it says nothing, that is decided without. */
  private awaitFirstBytes(): void {
    this.awaits_first = true;
    this.client.socket.receive();
    this.wakeIn(Math.min(FIRST_BYTES_MS, this.frontend.client_ms));
  }

  private firstBytesCame(buffer: number, offset: number, length: number): void {
    const { bytes } = this.thread.reactor.buffers;
    const ofFirstBytes = this.assignment.backend?.hash_key?.ofFirstBytes;
    this.awaits_first = false;
    if (ofFirstBytes) this.assignment.hash = ofFirstBytes(bytes, offset, offset + length);
    this.keepEarly(buffer, offset, length);
    if (!this.over) this.assignBegin();
  }

  /** Until a server is there. It goes on receiving, up to the socket's allowance: a client that resets is to be heard. */
  private keepEarly(buffer: number, offset: number, length: number): void {
    if (!this.early.put(buffer, offset, length)) this.finish('R', this.assignment.phase, true);
  }

  private sendEarly(): void {
    const { slices } = this.thread.reactor;
    while (!this.early.empty) {
      const node = this.early.first;
      const [buffer, offset, length] = [slices.buffer[node], slices.offset[node], slices.length[node]];
      this.early.drop();
      this.upstream.socket.send(buffer, offset, length);
    }
    if (this.client.socket.ended) this.ended(this.client);
    else this.client.socket.receive();
  }

  get address_bytes(): Uint8Array {
    return this.peer.addressOf(this.client.socket);
  }

  // ── servers ───────────────────────────────────────────────────────────────────────────────────

  useServer(server: Server): void {
    const { prepare } = server;
    const address = server.addressFor(this.client.socket, this.place);
    const socket =
      address &&
      this.thread.reactor.connect(this.upstream, address.family, address.address, address.length, 'dialogue', prepare);
    if (!socket) {
      this.assignment.notBegun();
      return;
    }
    this.upstream.socket = socket;
    this.open++;
    const { connect_ms } = this.assignment.backend as Backend;
    this.connect_end_ms = this.thread.reactor.now_ms + connect_ms;
    this.wakeIn(Math.min(connect_ms, UNHEARD_MS));
  }

  noServer(cause: string, phase: string): void {
    this.finish(cause, phase, true);
  }

  connected(error: number): void {
    if (error !== 0) {
      this.assignment.failed(false);
      return;
    }
    this.connecting = false;
    this.assignment.server?.connected();
    this.connected_ms = this.thread.reactor.now_ms;
    const { log } = this.frontend;
    if (log?.names_source) this.source = localAddress(this.upstream.socket.fd) ?? null;
    if (log?.asap) {
      this.logged = true;
      log.session(this, true);
    }
    this.timeouts.open(this.frontend, this.assignment.backend);
    this.wakeIn(this.timeouts.idle_ms);
    const { send_proxy } = this.assignment.server?.config ?? {};
    if (send_proxy && !sendProxyHeader(this.upstream.socket, this.client.socket, send_proxy, undefined)) {
      this.finish('R', 'C', true);
      return;
    }
    this.upstream.socket.receive();
    this.sendEarly();
  }

  // ── bytes ─────────────────────────────────────────────────────────────────────────────────────

  pass(from: Side, buffer: number, offset: number, length: number): void {
    if (this.awaits_first) {
      this.firstBytesCame(buffer, offset, length);
      return;
    }
    if (this.connecting) {
      this.keepEarly(buffer, offset, length);
      return;
    }
    this.wakeIn(this.timeouts.idle_ms);
    if (!this.other(from).socket.send(buffer, offset, length)) this.finish('R', 'D', true);
  }

  ended(side: Side): void {
    if (this.awaits_first) this.finish('C', '-', false);
    if (this.connecting) return; // it may still want to hear what the server says
    this.other(side).socket.end();
    this.timeouts.halfClose(this.frontend, this.assignment.backend);
    this.wakeIn(this.timeouts.idle_ms);
    if (this.client.socket.ended && this.upstream.socket.ended) this.considerDone();
  }

  /** Both have said FIN: done when everything is sent. */
  considerDone(): void {
    if (!this.client.socket.ended || !this.upstream.socket.ended) return;
    const waiting = [this.client, this.upstream].filter((side) => !side.socket.idle);
    for (const side of waiting) side.socket.notify_drain = true;
    if (waiting.length === 0) this.finish('-', '-', false);
  }

  broke(side: Side): void {
    this.finish(side === this.client ? 'C' : 'S', this.connecting ? this.assignment.phase : 'D', true);
  }

  private other(side: Side): Side {
    return side === this.client ? this.upstream : this.client;
  }

  /** Its server went down, or an active one came up (marked-servers.ts). */
  serverMarked(mark: Mark): void {
    this.finish(mark, this.connecting ? 'C' : '-', true);
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────────

  /** `reset`: the other end shall not take this for a proper end. */
  private finish(cause: string, phase: string, reset: boolean): void {
    if (this.over) return;
    this.over = true;
    this.connecting = false;
    this.awaits_first = false;
    this.early.clear();
    this.cause = cause;
    this.phase = phase;
    if (this.assignment.waits) this.assignment.leave(); // its line tells how long the queue was
    this.thread.countRequest();
    countEnd(this, this.accepted_ms, this.thread.reactor.now_ms);
    this.assignment.leave(); // the line counts those who stay, as HAProxy's does
    this.assignment.backend?.leave();
    const { log, config } = this.frontend;
    const counts = config.log_null || this.client.received + this.upstream.received > 0;
    if (counts && !this.logged) log?.session(this, false);
    for (const { socket } of [this.client, this.upstream]) {
      if (reset) socket.reset();
      else socket.close();
    }
  }

  sideClosed(): void {
    this.open--;
    if (this.open > 0) return;
    this.finish('-', '-', false);
    this.thread.reactor.timers.remove(this.timer);
    this.frontend.sessionGone(this, this.admitted_by);
  }

  // ── time ──────────────────────────────────────────────────────────────────────────────────────

  wakeIn(after_ms: number): void {
    const { reactor } = this.thread;
    if (after_ms === Number.POSITIVE_INFINITY) reactor.timers.disarm(this.timer);
    else reactor.timers.arm(this.timer, reactor.now_ms + after_ms);
  }

  private onTimer(): void {
    if (this.over) return;
    if (this.awaits_first) {
      this.awaits_first = false;
      this.assignBegin();
    } else if (this.assignment.waits) {
      this.assignment.onTimer();
    } else if (this.connecting && this.thread.reactor.now_ms < this.connect_end_ms) {
      if (this.early.empty) this.client.socket.receive(); // or nobody would hear that it leaves
      this.wakeIn(this.connect_end_ms - this.thread.reactor.now_ms);
    } else if (this.connecting) {
      const { socket } = this.upstream;
      this.upstream.socket = this.thread.no_socket;
      socket.close();
      this.assignment.failed(true);
    } else {
      this.finishSilent();
    }
  }

  private finishSilent(): void {
    const [client, server] = [this.client.socket, this.upstream.socket];
    const left_ms = this.timeouts.left(client, server, this.thread.reactor.now_ms);
    if (left_ms > 0) this.wakeIn(left_ms);
    else this.finish(this.timeouts.cause(client, server), 'D', false);
  }
}
