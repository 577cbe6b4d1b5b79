/**
 * The way of one request or TCP session to a server.
 *
 *            ┌─── all are full, or the one it is bound to ──▶ QUEUED ── room ──┐
 *            │                                                                 ▼
 *   IDLE ──▶ search ────────────────── room ─────────────────────────────▶ ASSIGNED ──▶ IDLE
 *            ▲                                                                 │ failed
 *            └─ another one: at once ──────────────────────────────────────────┤
 *            └─ TURN_AROUND: the same one again, after a while ◀───────────────┘
 *
 * Bound to a server are requests whose cookie or hash names it. They leave it when it fails only where `option redispatch` says so.
 */
import * as c from '../threads/counters.ts';
import type { Backend } from './backend.ts';
import { ALL_FULL, NO_HASH } from './balance/picker.ts';
import type { ProxyThread } from './proxy-thread.ts';
import type { Server } from './server.ts';

/** HAProxy's turn-around: how long to wait before the same server is tried again. */
const TURN_AROUND_MS = 1_000;

const IDLE = 0;
const ASSIGNED = 1;
const TURN_AROUND = 2;
const QUEUED = 3;

/** Whoever wants a server. The calls come at once or later, from within the reactor or at the end of its pass. */
export interface Assignee {
  readonly thread: ProxyThread;
  /** There is room at this server: connect to it. */
  useServer(server: Server): void;
  /** No server takes it; cause and phase are HAProxy's termination state (manual, section 8.5). */
  noServer(cause: string, phase: string): void;
  /** `assignment.onTimer` is to be called after so many milliseconds; Infinity: never. */
  wakeIn(after_ms: number): void;
}

export class Assignment {
  backend: Backend | null = null;
  /** Serving now. */
  server: Server | null = null;
  /** The last one that was asked: what the log names. */
  server_seen: Server | null = null;
  /** 32 bits that the request is balanced by, or NO_HASH. */
  hash = NO_HASH;
  /** The server that a cookie names. */
  bound: Server | null = null;
  /** Lower goes first where requests wait; of equals who came first, as if that had been so much later. */
  priority = 0;
  offset_ms = 0;

  // ── what the log tells ──
  retries = 0;
  redispatched = false;
  /** Monotonic milliseconds; -1: it never had a server. */
  assigned_ms = -1;
  /** How many requests went before this one while it waited for its server, and for any. */
  server_queue = 0;
  backend_queue = 0;

  // ── for WaitingLine ──
  ahead: Assignment | null = null;
  behind: Assignment | null = null;
  /** With `offset_ms`. */
  queued_ms = 0;
  private dequeued = 0;

  private readonly assignee: Assignee;
  private state = IDLE;
  /** QUEUED for this one, or TURN_AROUND to it. */
  private wanted: Server | null = null;

  constructor(assignee: Assignee) {
    this.assignee = assignee;
  }

  /** Forgets the last request; null: no backend. */
  reset(backend: Backend | null): void {
    this.backend = backend;
    this.server = null;
    this.server_seen = null;
    this.hash = NO_HASH;
    this.bound = null;
    this.priority = 0;
    this.offset_ms = 0;
    this.retries = 0;
    this.redispatched = false;
    this.assigned_ms = -1;
    this.server_queue = 0;
    this.backend_queue = 0;
    this.state = IDLE;
  }

  /** `preferred`: its server is as good as any other, unless a cookie or a hash says which one it is. */
  begin(preferred: { readonly server: Server } | null = null): void {
    if (!this.backend) this.assignee.noServer('S', 'C');
    else if (this.bound) this.take(this.bound);
    else if (preferred && !this.isBound) this.take(preferred.server);
    else this.search(null);
  }

  /** No server is asked at present, but one will be. */
  get waits(): boolean {
    return this.state === TURN_AROUND || this.state === QUEUED;
  }

  /** As in a termination state: waiting in a queue, or for a connection. */
  get phase(): 'Q' | 'C' {
    return this.state === QUEUED ? 'Q' : 'C';
  }

  onTimer(): void {
    const { state, wanted } = this;
    this.leave();
    if (state === QUEUED) this.assignee.noServer('s', 'Q');
    else if (state === TURN_AROUND && wanted) this.take(wanted);
    else this.search(null);
  }

  /** The connection to the server did not come about. */
  failed(timed_out: boolean): void {
    this.server?.connectFailed();
    this.tryAnew(timed_out);
  }

  /** It was not even begun: there is no descriptor, or no address. That says nothing about the server. */
  notBegun(): void {
    this.tryAnew(false);
  }

  private tryAnew(timed_out: boolean): void {
    const server = this.server as Server;
    const backend = this.backend as Backend;
    this.leave();
    if (this.retries >= backend.config.retries || !backend.retry.on_connect) {
      this.assignee.noServer(timed_out ? 's' : 'S', 'C');
      return;
    }
    this.retries++;
    if (!this.isBound || this.mayRedispatch(backend)) {
      this.bound = null;
      this.search(server);
    } else if (timed_out) this.take(server);
    else this.turnAround(server);
  }

  get mayRetry(): boolean {
    return this.retries < (this.backend as Backend).config.retries;
  }

  /** The server's answer is not one for the client: at once again, and with `option redispatch` at another server. */
  retry(): void {
    const server = this.server as Server;
    const { redispatch } = (this.backend as Backend).config;
    this.leave();
    this.retries++;
    if (redispatch === undefined && server.running) {
      this.take(server);
    } else {
      this.bound = null;
      this.search(server, true);
    }
  }

  /** A kept connection broke before the server answered: on a new one. */
  again(): void {
    const { server } = this;
    this.leave();
    this.retries++;
    if (this.isBound && server) this.take(server);
    else this.search(null);
  }

  /** Also when it never came to a server. */
  leave(): void {
    const { server, state } = this;
    const backend = this.backend as Backend;
    if (state === QUEUED) this.leaveQueue(backend);
    this.server = null;
    this.wanted = null;
    this.state = IDLE;
    if (!server) return;
    server.leave();
    if (server.limited) this.assignee.thread.queue.freed(backend, server);
  }

  private get isBound(): boolean {
    return this.bound !== null || (this.hash !== NO_HASH && (this.backend as Backend).hashes);
  }

  /** Every Nth retry, or the Nth from the last (manual 4.2 "option redispatch"). */
  private mayRedispatch({ config: { redispatch, retries } }: Backend): boolean {
    if (redispatch === undefined) return false;
    const every = redispatch > 0 ? redispatch : retries + 1 + redispatch;
    return every > 0 && this.retries % every === 0;
  }

  /** `at_once`: where only the one to avoid is left, it is asked without a pause. */
  private search(avoid: Server | null, at_once = false): void {
    const backend = this.backend as Backend;
    const position = backend.pick(this.hash, avoid, this.assignee.thread.reactor.now_ms);
    if (position === ALL_FULL) this.enqueue(backend, null);
    else if (position < 0) this.assignee.noServer('S', 'C');
    else if (backend.servers[position] === avoid && !at_once) this.turnAround(null);
    else this.take(backend.servers[position]);
  }

  private turnAround(wanted: Server | null): void {
    this.state = TURN_AROUND;
    this.wanted = wanted;
    this.assignee.wakeIn(Math.min(TURN_AROUND_MS, (this.backend as Backend).connect_ms));
  }

  /** This server and no other, as soon as it has room. */
  private take(server: Server): void {
    const backend = this.backend as Backend;
    if (!server.limited) {
      server.enter();
      this.assign(server);
    } else if (server.waiting.queued === 0 && this.tryEnter(backend, server)) {
      this.assign(server);
    } else {
      this.enqueue(backend, server);
    }
  }

  private tryEnter(backend: Backend, server: Server): boolean {
    return server.tryEnter(backend.limitOf(server, this.assignee.thread.reactor.now_ms));
  }

  private assign(server: Server): void {
    const { server_seen } = this;
    this.state = ASSIGNED;
    this.server = server;
    this.server_seen = server;
    if (server !== server_seen) this.assigned_ms = this.assignee.thread.reactor.now_ms;
    if (this.retries > 0 && server_seen) this.countRetry(server_seen, server);
    else this.countFirst(server);
    this.assignee.useServer(server);
  }

  private countFirst(server: Server): void {
    const { counters } = this.backend as Backend;
    const { now_ms } = this.assignee.thread.reactor;
    counters[c.LAST_SESSION_MS] = now_ms;
    server.counters[c.LAST_SESSION_MS] = now_ms;
    if (this.bound) return;
    counters[c.BALANCED]++;
    server.counters[c.BALANCED]++;
  }

  /** The server that failed counts it. */
  private countRetry(before: Server, server: Server): void {
    if (before !== server) this.redispatched = true;
    const kind = before === server ? c.RETRIES : c.REDISPATCHES;
    before.counters[kind]++;
    (this.backend as Backend).counters[kind]++;
  }

  /** The connection was used before. */
  countReuse(): void {
    (this.backend as Backend).counters[c.REUSES]++;
    if (this.server) this.server.counters[c.REUSES]++;
  }

  // ── waiting ───────────────────────────────────────────────────────────────────────────────────

  /** `server`: this one and no other; null: any. */
  private enqueue(backend: Backend, server: Server | null): void {
    const most = server?.config.maxqueue;
    if (server && most !== undefined && server.waiting.queued >= most) {
      this.queueFull(backend, server);
      return;
    }
    const line = server ? server.waiting : backend.waiting;
    this.state = QUEUED;
    this.wanted = server;
    this.queued_ms = this.assignee.thread.reactor.now_ms + this.offset_ms;
    this.dequeued = line.dequeued;
    this.assignee.wakeIn(backend.queue_ms);
    this.assignee.thread.queue.wait(this, backend, server);
  }

  private queueFull(backend: Backend, server: Server): void {
    const elsewhere = this.bound !== null && backend.config.redispatch !== undefined;
    this.bound = null;
    if (elsewhere) this.search(server);
    else this.assignee.noServer('S', 'Q');
  }

  /** Its turn: a place at the server is kept for it already. */
  takePlace(server: Server): void {
    this.leaveQueue(this.backend as Backend);
    this.assignee.wakeIn(Number.POSITIVE_INFINITY);
    this.assign(server);
  }

  /** The server that it waits for is gone. */
  serverGone(): void {
    const { config } = this.backend as Backend;
    if (config.persist || (this.bound && config.redispatch === undefined)) return;
    this.leave();
    this.bound = null;
    this.search(null);
  }

  private leaveQueue(backend: Backend): void {
    const { wanted } = this;
    const line = wanted ? wanted.waiting : backend.waiting;
    this.assignee.thread.queue.leave(this, backend, wanted);
    const passed = (line.dequeued - this.dequeued) | 0;
    this.assigned_ms = this.assignee.thread.reactor.now_ms; // so long it waited, whatever comes of it
    if (wanted) this.server_queue += passed;
    else this.backend_queue += passed;
    this.wanted = null;
  }
}
