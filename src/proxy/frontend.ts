/** A frontend as one data thread sees it: it accepts, counts, and hands each client to its mode. */
import type * as model from '../config/model.ts';
import type { Listener, ListenerOwner } from '../reactor/listener.ts';
import type { Socket, SocketOwner } from '../reactor/socket.ts';
import { CONNECTIONS, frontendRow, REQUEST_ERRORS, type Row, SESSIONS } from '../threads/counters.ts';
import * as shared from '../threads/shared-memory.ts';
import type { Backend } from './backend.ts';
import { ClientConnection } from './http/client-connection.ts';
import { type ErrorReplies, ownReplies } from './http/error-replies.ts';
import { PageRoutes } from './http/page-routes.ts';
import { ParkedConnection, type QuietClient } from './http/parked-connection.ts';
import { Captures } from './log/captures.ts';
import type { RequestLog } from './log/request-log.ts';
import { UniqueId } from './log/unique-id.ts';
import { AnnouncedClient } from './proxy-protocol/announced-client.ts';
import type { ProxyThread } from './proxy-thread.ts';
import { Monitor } from './rules/monitor.ts';
import { Routes } from './rules/routes.ts';
import { TcpSession } from './tcp/tcp-session.ts';

export class Frontend implements ListenerOwner {
  readonly thread: ProxyThread;
  readonly config: model.Frontend;
  readonly name_bytes: Uint8Array;
  readonly routes: Routes;
  readonly monitor: Monitor | null;
  readonly client_ms: number;
  readonly request_ms: number;
  readonly keep_alive_ms: number;
  readonly listeners: Listener[] = [];
  /** Descriptors whose clients are announced by a PROXY protocol header. */
  readonly announcing = new Set<number>();
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
  private readonly configured_maxconn: number;
  private paused = false;
  private readonly connections: ClientConnection[] = [];
  private readonly parked: ParkedConnection[] = [];
  private readonly sessions: TcpSession[] = [];

  constructor(
    thread: ProxyThread,
    config: model.Frontend,
    number: number,
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
    this.configured_maxconn = config.maxconn ?? Number.POSITIVE_INFINITY;
  }

  onAccept({ fd }: Listener, socket: Socket): SocketOwner {
    this.countClient();
    return this.announcing.has(fd) ? new AnnouncedClient(this, socket, fd) : this.serve(socket);
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

  onReleased(listener: Listener): void {
    this.thread.onListenerReleased(listener.fd);
  }

  /** Clients are asked to connect anew for their next request: nobody here can serve it. */
  get ends_connections(): boolean {
    return this.thread.draining && this.successor === null;
  }

  private countClient(): void {
    const { memory } = this.thread;
    const count = Atomics.add(memory.words, this.at + shared.FRONTEND_CONNECTIONS, 1) + 1;
    shared.raise(memory, this.at + shared.FRONTEND_CONNECTIONS_MAX, count);
    this.counters[CONNECTIONS]++;
    this.counters[SESSIONS]++;
    this.thread.clientArrived();
    if (this.thread.full) this.thread.pauseAll();
    else if (count >= this.maxconn) this.pause();
  }

  /** A client between two requests, from the frontend of an earlier configuration. */
  adopt(client: QuietClient): void {
    this.countClient();
    const { socket, requests, idle_ms } = client;
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
    return set || this.configured_maxconn;
  }

  /** People disabled it. */
  private get stopped(): boolean {
    return Atomics.load(this.thread.memory.words, this.at + shared.FRONTEND_STOPPED) === 1;
  }

  /** Clients connected now, over all threads. */
  get connection_count(): number {
    return Atomics.load(this.thread.memory.words, this.at + shared.FRONTEND_CONNECTIONS);
  }

  connectionGone(connection: ClientConnection): void {
    this.connections.push(connection);
    this.clientLeft();
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

  parkedGone(parked: ParkedConnection): void {
    this.parked.push(parked);
    this.clientLeft();
  }

  sessionGone(session: TcpSession): void {
    this.sessions.push(session);
    this.clientLeft();
  }

  /** The name of the `bind` that listens on a descriptor, or its number from 1. */
  bindName(fd: number): string {
    const index = this.listeners.findIndex((listener) => listener.fd === fd);
    return this.config.binds[index]?.name ?? String(index + 1);
  }

  /** It never said whose it was. */
  announcedGone(): void {
    this.clientLeft();
  }

  countRefused(): void {
    this.counters[REQUEST_ERRORS]++;
  }

  private clientLeft(): void {
    Atomics.sub(this.thread.memory.words, this.at + shared.FRONTEND_CONNECTIONS, 1);
    this.thread.clientLeft();
    if (this.paused) this.considerResume();
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    for (const listener of this.listeners) listener.pause();
  }

  /** Also asked once a pass: the room may have been made by another thread. */
  considerResume(): void {
    if (this.stopped) this.pause();
    if (!this.paused || this.stopped || this.connection_count >= this.maxconn || this.thread.full) return;
    this.paused = false;
    for (const listener of this.listeners) listener.resume();
  }
}
