/** A frontend as one data thread sees it: it accepts, counts, and hands each client to its mode. */
import type * as model from '../config/model.ts';
import type { Admitter, Socket, SocketOwner } from '../reactor/socket.ts';
import { bindRow, CONNECTIONS, frontendRow, REQUEST_ERRORS, type Row, SESSIONS } from '../threads/counters.ts';
import * as shared from '../threads/shared-memory.ts';
import type { Backend } from './backend.ts';
import { ClientLimit } from './client-limit.ts';
import { ClientRate } from './client-rate.ts';
import { Entrance } from './entrance.ts';
import { ClientConnection } from './http/client-connection.ts';
import { type ErrorReplies, ownReplies } from './http/error-replies.ts';
import { PageRoutes } from './http/page-routes.ts';
import { ParkedConnection, type QuietClient } from './http/parked-connection.ts';
import { Captures } from './log/captures.ts';
import type { RequestLog } from './log/request-log.ts';
import { UniqueId } from './log/unique-id.ts';
import type { ProxyThread } from './proxy-thread.ts';
import { Monitor } from './rules/monitor.ts';
import { Routes } from './rules/routes.ts';
import { TcpSession } from './tcp/tcp-session.ts';

/** Where a frontend stands: its number, and that of its first bind through all frontends. */
export type FrontendPlace = { readonly number: number; readonly first_bind: number };

export class Frontend {
  readonly thread: ProxyThread;
  readonly config: model.Frontend;
  readonly name_bytes: Uint8Array;
  readonly routes: Routes;
  readonly monitor: Monitor | null;
  readonly client_ms: number;
  readonly request_ms: number;
  readonly keep_alive_ms: number;
  /** In the order of the binds. */
  readonly entrances: readonly Entrance[];
  /** Clients of an earlier configuration whose bind is no more come in here. */
  private readonly side_entrance: Entrance;
  readonly limit: ClientLimit;
  /** Of the binds that have one, if only to be counted. */
  readonly bind_limits: readonly ClientLimit[];
  readonly error_replies: ErrorReplies;
  readonly captures: Captures;
  /** Null: requests have none. */
  readonly unique_id: UniqueId | null;
  /** Null: it serves none of our own pages. */
  readonly pages: PageRoutes | null;
  /** Null: nothing is logged. */
  log: RequestLog | null = null;
  /** The same frontend of a later configuration, on the same reactor. */
  successor: Frontend | null = null;
  /** This thread's. */
  readonly counters: Row;
  private readonly at: number;
  private disabled = false;
  private readonly connections: ClientConnection[] = [];
  private readonly parked: ParkedConnection[] = [];
  private readonly sessions: TcpSession[] = [];

  constructor(
    thread: ProxyThread,
    config: model.Frontend,
    { number, first_bind }: FrontendPlace,
    backendNamed: (name: string) => Backend | null,
  ) {
    this.thread = thread;
    this.config = config;
    this.name_bytes = new TextEncoder().encode(config.name);
    this.routes = new Routes(config, backendNamed);
    this.monitor = config.monitor && config.mode === 'http' ? new Monitor(config.monitor) : null;
    const { client_ms, http_request_ms, http_keep_alive_ms } = config.timeouts;
    this.client_ms = client_ms ?? Number.POSITIVE_INFINITY;
    this.request_ms = http_request_ms ?? this.client_ms;
    this.keep_alive_ms = http_keep_alive_ms ?? this.request_ms;
    this.pages = PageRoutes.of(config);
    this.error_replies = ownReplies(config.error_files);
    this.captures = new Captures(config);
    const { unique_id_format: id_format } = config;
    this.unique_id = id_format?.kind === 'text' ? new UniqueId(this, id_format) : null;
    this.at = shared.frontendAt(thread.memory, number);
    this.counters = frontendRow(thread.memory, thread.number, number);
    this.limit = new ClientLimit(thread.memory, thread.number, this.at, 1 + number, () => this.maxconn);
    const bind_limits = config.binds.map((bind, index) => this.limitOf(bind, first_bind + index));
    this.bind_limits = bind_limits.filter((limit) => limit !== null);
    const { sessions_per_s } = config;
    const own_rates =
      sessions_per_s > 0 ? [new ClientRate(thread.memory, this.at + shared.FRONTEND_SESSION_RATE, sessions_per_s)] : [];
    const rates = [...own_rates, ...thread.rates];
    const limits = [this.limit, thread.limit];
    this.entrances = config.binds.map((bind, index) => {
      const own = bind_limits[index];
      const { name = String(index + 1), accept_proxy } = bind;
      const counters = config.socket_stats ? bindRow(thread.memory, thread.number, first_bind + index) : null;
      return new Entrance(this, { name, accept_proxy, counters }, { limits: own ? [own, ...limits] : limits, rates });
    });
    this.side_entrance = new Entrance(this, { name: '', accept_proxy: false, counters: null }, { limits, rates });
  }

  private limitOf({ maxconn }: model.Bind, number: number): ClientLimit | null {
    if (maxconn === undefined && !this.config.socket_stats) return null;
    const { memory, number: thread } = this.thread;
    const row = 1 + memory.counts.frontends + number;
    return new ClientLimit(
      memory,
      thread,
      shared.bindAt(memory, number),
      row,
      () => maxconn ?? Number.POSITIVE_INFINITY,
    );
  }

  /** Begins with a new client; returns its owner. */
  serve(socket: Socket): SocketOwner {
    if (this.config.mode === 'tcp') {
      const session = this.sessions.pop() ?? new TcpSession(this);
      session.begin(socket);
      return session.client;
    }
    const connection = this.connections.pop() ?? new ClientConnection(this);
    socket.owner = connection;
    connection.begin(socket);
    return connection;
  }

  /** Clients are asked to connect anew for their next request: nobody here can serve it. */
  get ends_connections(): boolean {
    return this.thread.draining && this.successor === null;
  }

  clientCame(): void {
    this.counters[CONNECTIONS]++;
    this.counters[SESSIONS]++;
    this.thread.clientArrived();
  }

  /** A client between two requests, from the frontend of an earlier configuration. */
  adopt(client: QuietClient): void {
    const { socket, requests, idle_ms } = client;
    const { successor } = socket.admitted_by as Entrance;
    const entrance = successor?.frontend === this ? successor : this.side_entrance;
    entrance.enter();
    socket.admitted_by = entrance;
    this.clientCame();
    if (requests === 0) {
      const connection = this.connections.pop() ?? new ClientConnection(this);
      socket.owner = connection;
      connection.begin(socket);
      return;
    }
    const parked = this.parked.pop() ?? new ParkedConnection(this);
    const { now_ms } = this.thread.reactor;
    parked.begin(client, Math.max(0, this.keep_alive_ms - (now_ms - idle_ms)));
    socket.receive();
  }

  private get maxconn(): number {
    const set = Atomics.load(this.thread.memory.words, this.at + shared.FRONTEND_SET_MAXCONN);
    return set || (this.config.maxconn ?? Number.POSITIVE_INFINITY);
  }

  /** People disabled it. */
  private get stopped(): boolean {
    return Atomics.load(this.thread.memory.words, this.at + shared.FRONTEND_STOPPED) === 1;
  }

  /** Clients connected now, over all threads. */
  get connection_count(): number {
    return this.limit.clients;
  }

  connectionGone(connection: ClientConnection, admitted_by: Admitter | null): void {
    this.connections.push(connection);
    this.clientLeft(admitted_by);
  }

  /** The connection object goes to the next client; its socket lives on in a smaller one. `left_ms` until it has been quiet too long. */
  park(connection: ClientConnection, left_ms: number): void {
    const parked = this.parked.pop() ?? new ParkedConnection(this);
    parked.begin(connection, left_ms);
    this.connections.push(connection);
  }

  unpark(parked: ParkedConnection): ClientConnection {
    const connection = this.connections.pop() ?? new ClientConnection(this);
    connection.resume(parked);
    this.parked.push(parked);
    return connection;
  }

  parkedGone(parked: ParkedConnection, admitted_by: Admitter | null): void {
    this.parked.push(parked);
    this.clientLeft(admitted_by);
  }

  sessionGone(session: TcpSession, admitted_by: Admitter | null): void {
    this.sessions.push(session);
    this.clientLeft(admitted_by);
  }

  countRefused(): void {
    this.counters[REQUEST_ERRORS]++;
  }

  /** Also of one that never said whose it was. */
  clientLeft(admitted_by: Admitter | null): void {
    admitted_by?.leave();
    this.thread.clientLeft();
  }

  /** To be asked once a pass. */
  heedPeople(): void {
    if (this.stopped === this.disabled) return;
    this.disabled = this.stopped;
    for (const entrance of this.entrances) {
      if (this.disabled) entrance.stop();
      else entrance.start();
    }
  }
}
