/**
 * The data plane of one thread: its reactor, its view of every frontend and backend, and what its connections share.
 * Nothing here is shared with other threads but the words of shared memory.
 */
import type * as model from '../config/model.ts';
import type { Listener } from '../reactor/listener.ts';
import type { Reactor } from '../reactor/reactor.ts';
import { Socket, type SocketOwner } from '../reactor/socket.ts';
import * as shared from '../threads/shared-memory.ts';
import { Admission } from './admission.ts';
import { Backend } from './backend.ts';
import { ClientLimit, DEFAULT_MAXCONN } from './client-limit.ts';
import { ClientRate } from './client-rate.ts';
import { Doorbell } from './doorbell.ts';
import type { Entrance } from './entrance.ts';
import { Frontend } from './frontend.ts';
import { BadMessages } from './http/bad-messages.ts';
import { ClientConnection } from './http/client-connection.ts';
import type { Exchange } from './http/exchange.ts';
import { Message } from './http/message.ts';
import { Pages } from './http/page.ts';
import { ParkedConnection } from './http/parked-connection.ts';
import { ServerConnection } from './http/server-connection.ts';
import { HeadWriter } from './http/write-head.ts';
import { RequestLog, type Target } from './log/request-log.ts';
import type { Sink } from './log/sink.ts';
import { MarkedServers } from './marked-servers.ts';
import { AnnouncedClient } from './proxy-protocol/announced-client.ts';
import { Queue } from './queue.ts';
import { Accounts } from './rules/accounts.ts';
import { Facts } from './rules/facts.ts';
import type { Server } from './server.ts';
import { Side, type TcpSession } from './tcp/tcp-session.ts';

/** A backend is full when a tenth of the clients that may come to it are there (manual 4.2 "fullconn"). */
const SHARE_THAT_FILLS = 10;

/** A listening descriptor and the frontend it belongs to. */
export type OpenListener = {
  readonly frontend: number;
  /** Which of its binds. */
  readonly bind: number;
  readonly fd: number;
};

export class ProxyThread {
  readonly reactor: Reactor;
  readonly memory: shared.SharedMemory;
  /** Of the thread, in shared memory. */
  readonly number: number;
  readonly frontends: readonly Frontend[];
  readonly backends: readonly Backend[];
  /** Filled by the parsers; valid until the next head is parsed. */
  readonly request = new Message();
  readonly response = new Message();
  readonly writer: HeadWriter;
  /** What conditions are asked about. */
  readonly facts: Facts;
  /** Of the userlists. */
  readonly accounts: Accounts;
  readonly pages = new Pages();
  readonly bad_messages: BadMessages;
  /** Those who wait for a server. */
  readonly queue: Queue;
  /** Clients of the whole process. */
  readonly limit: ClientLimit;
  /** New ones of the whole process. */
  readonly rates: readonly ClientRate[];
  /** Listeners that wait for room. */
  readonly admission: Admission;
  /** Stands where no connection is: closed, and deaf to everything. */
  readonly no_socket: Socket;
  /** Stopping, or another configuration holds: replies say `Connection: close` to clients that cannot move on to it. */
  draining = false;
  /** Nobody is served any more whose request is not here yet. */
  closing = false;
  client_count = 0;
  /** Closes listening descriptors that are not used any more. */
  onListenerReleased: (fd: number) => void = () => {};
  private readonly global: model.Global;
  private readonly marked: MarkedServers;
  /** Global: of all frontends and threads. */
  private readonly configured_maxconn: number;
  private readonly doorbell: Doorbell;
  /** All that clients may have to wait for. */
  private readonly limits: readonly ClientLimit[];
  private readonly at: number;
  private readonly spare: ServerConnection[] = [];

  constructor(config: model.Config, thread: number, reactor: Reactor, memory: shared.SharedMemory) {
    this.reactor = reactor;
    this.memory = memory;
    this.global = config.global;
    this.configured_maxconn = config.global.maxconn ?? DEFAULT_MAXCONN;
    this.number = thread;
    this.at = shared.threadAt(memory, thread);
    this.writer = new HeadWriter(reactor.buffers.bytes);
    this.no_socket = new Socket(reactor, -1);
    this.bad_messages = new BadMessages(memory);
    this.backends = buildBackends(config, memory, thread, reactor.now_ms);
    this.marked = new MarkedServers(reactor, this.backends);
    this.doorbell = new Doorbell(memory);
    this.queue = new Queue(memory, thread, this.backends, this.doorbell);
    this.admission = new Admission(thread, this.doorbell, () => reactor.hurry());
    this.limit = new ClientLimit(memory, thread, shared.PROCESS_CLIENTS, 0, () => this.maxconn);
    this.rates = ratesOf(config.global, memory);
    this.facts = new Facts(this);
    this.accounts = new Accounts(config.userlists);
    const backendNamed = (name: string) => this.backends.find(({ config }) => config.name === name) ?? null;
    let first_bind = 0;
    this.frontends = config.frontends.map((frontend, number) => {
      const built = new Frontend(this, frontend, { number, first_bind }, backendNamed);
      first_bind += frontend.binds.length;
      return built;
    });
    this.limits = [this.limit, ...this.frontends.flatMap(({ limit, bind_limits }) => [limit, ...bind_limits])];
  }

  /** `sinkFor` gives the way to a target. */
  log(sinkFor: (target: model.LogTarget) => Sink): void {
    for (const frontend of this.frontends) {
      const targets: Target[] = frontend.config.log_targets.map((config) => ({ config, sink: sinkFor(config) }));
      if (targets.length > 0) frontend.log = new RequestLog(this, frontend, targets, this.global);
    }
  }

  listen(listeners: readonly OpenListener[]): void {
    for (const { frontend, bind, fd } of listeners) {
      const entrance = this.frontends[frontend].entrances[bind];
      entrance.open(this.reactor.listen(fd, entrance));
    }
  }

  /**
   * Takes the listeners over from an earlier configuration's proxy on the same reactor, and its clients as soon as they are
   * between two requests; it serves the others to the end.
   *
   *   previous ── listeners ──▶ this         a listener that stays is never closed, and accepts all the time
   *            ── idle clients ──▶ this      where the frontend of that name is still there
   */
  takeOver(previous: ProxyThread, listeners: readonly OpenListener[]): void {
    const kept = previous.giveListeners();
    for (const { frontend, bind, fd } of listeners) {
      const owner = this.frontends[frontend];
      const entrance = owner.entrances[bind];
      const listener = kept.get(fd);
      kept.delete(fd);
      entrance.open(listener ?? this.reactor.listen(fd, entrance));
      if (!listener) continue;
      const before = listener.owner as Entrance;
      const { config } = before.frontend;
      if (config.name === owner.config.name && config.mode === owner.config.mode) before.frontend.successor = owner;
      before.successor = entrance;
      listener.handOver(entrance);
    }
    for (const listener of kept.values()) listener.release();
    previous.drain();
  }

  private giveListeners(): Map<number, Listener> {
    const all = this.frontends.flatMap(({ entrances }) => entrances.flatMap((entrance) => entrance.giveListeners()));
    return new Map(all.map((listener) => [listener.fd, listener]));
  }

  /** One turn of the loop, where this is the only proxy on its reactor. */
  pass(wait_ms: number): void {
    this.reactor.pass(this.busy ? 0 : wait_ms);
    this.afterPass();
  }

  /** There is something to do without waiting for the kernel. */
  get busy(): boolean {
    return this.queue.busy;
  }

  /** To be called after each pass of the reactor. */
  afterPass(): void {
    this.marked.look();
    this.queue.serve(this.reactor.now_ms);
    for (let index = 0; index < this.frontends.length; index++) this.frontends[index].heedPeople();
    this.admission.serve(this.limits);
  }

  /** A server, by its number through all backends, is at another address from now on. */
  moveServer(backend: number, server: number, endpoint: model.Endpoint): void {
    this.backends[backend].moveServer(server, endpoint);
  }

  /** From now on every reply says `Connection: close`; who comes is still served. */
  announceEnd(): void {
    this.draining = true;
  }

  /** No new clients; those who are served are served to the end, those who only keep a connection open lose it. */
  drain(): void {
    this.closing = true;
    this.leave();
    this.reactor.forEachSocket(({ owner }) => {
      if (this.isQuiet(owner)) owner.leaveIfIdle();
    });
  }

  /** No new clients; those who are here may ask once more, and are told that it is the last time. */
  leave(): void {
    this.announceEnd();
    for (const frontend of this.frontends) {
      for (const entrance of frontend.entrances) for (const listener of entrance.giveListeners()) listener.release();
    }
  }

  /** The clients that are left lose their connections. */
  abandonClients(): void {
    this.reactor.forEachSocket((socket) => {
      if (this.clientOf(socket) !== null) socket.reset();
    });
  }

  /** Nobody is served any more: connections that were kept for the next request are closed. */
  retire(): void {
    for (const { servers } of this.backends) {
      for (const server of servers) for (const connection of [...server.idle]) connection.close();
    }
  }

  /** Writes down since when the longest of its clients has been here. */
  noteOldest(): void {
    let oldest_ms = this.reactor.now_ms;
    this.reactor.forEachSocket((socket) => {
      oldest_ms = Math.min(oldest_ms, this.clientOf(socket)?.accepted_ms ?? oldest_ms);
    });
    Atomics.store(this.memory.words, this.at + shared.THREAD_OLDEST_MS, oldest_ms & 0x7fffffff);
  }

  private isQuiet(owner: SocketOwner): owner is ClientConnection | ParkedConnection {
    const is_client = owner instanceof ClientConnection || owner instanceof ParkedConnection;
    return is_client && owner.frontend.thread === this;
  }

  /** Null: the socket is none of this proxy's clients. */
  clientOf({ owner }: Socket): ClientConnection | ParkedConnection | TcpSession | AnnouncedClient | null {
    if (owner instanceof AnnouncedClient) return owner.frontend.thread === this ? owner : null;
    if (owner instanceof ClientConnection || owner instanceof ParkedConnection)
      return this.isQuiet(owner) ? owner : null;
    if (!(owner instanceof Side) || owner.session.thread !== this) return null;
    return owner === owner.session.client ? owner.session : null;
  }

  /** Gives its own memory back; the reactor's is the reactor's. */
  destroy(): void {
    this.doorbell.destroy();
  }

  clientArrived(): void {
    this.client_count++;
    Atomics.store(this.memory.words, this.at + shared.THREAD_CONNECTIONS, this.client_count);
  }

  clientLeft(): void {
    this.client_count--;
    Atomics.store(this.memory.words, this.at + shared.THREAD_CONNECTIONS, this.client_count);
  }

  /** Of all data threads. */
  get all_clients(): number {
    let sum = 0;
    for (let thread = shared.THREAD_DATA; thread < this.memory.counts.threads; thread++) {
      sum += Atomics.load(this.memory.words, shared.threadAt(this.memory, thread) + shared.THREAD_CONNECTIONS);
    }
    return sum;
  }

  /** Requests and sessions finished so far, of all data threads. */
  get all_requests(): number {
    let sum = 0;
    for (let thread = shared.THREAD_DATA; thread < this.memory.counts.threads; thread++) {
      sum += Atomics.load(this.memory.words, shared.threadAt(this.memory, thread) + shared.THREAD_REQUESTS);
    }
    return sum;
  }

  private get maxconn(): number {
    const { words } = this.memory;
    const allowed = Atomics.load(words, shared.SET_MAXCONN) || this.configured_maxconn;
    const while_short = Atomics.load(words, shared.MEMORY_MAXCONN);
    return while_short === 0 ? allowed : Math.min(while_short, allowed);
  }

  /** So few buffers are left that only answers may take them. */
  get short_of_buffers(): boolean {
    const { reactor } = this;
    return reactor.small_left < reactor.buffers.reserve / 2;
  }

  countRequest(): void {
    Atomics.add(this.memory.words, this.at + shared.THREAD_REQUESTS, 1);
  }

  /** A connection under way, or null: no descriptor is left, or the server has no address. */
  connectTo(server: Server, exchange: Exchange): ServerConnection | null {
    const connection = this.spare.pop() ?? new ServerConnection(this, server);
    if (connection.connect(server, exchange)) return connection;
    this.spare.push(connection);
    return null;
  }

  serverConnectionGone(connection: ServerConnection): void {
    this.spare.push(connection);
  }
}

function ratesOf({ connections_per_s, sessions_per_s }: model.Global, memory: shared.SharedMemory): ClientRate[] {
  return [
    new ClientRate(memory, shared.PROCESS_CONNECTION_RATE, connections_per_s, shared.SET_CONNECTION_RATE),
    new ClientRate(memory, shared.PROCESS_SESSION_RATE, sessions_per_s, shared.SET_SESSION_RATE),
  ];
}

function buildBackends(
  config: model.Config,
  memory: shared.SharedMemory,
  thread: number,
  seed: number,
): readonly Backend[] {
  let first_server = 0;
  const random = randomNumbers(seed + thread);
  return config.backends.map((backend, number) => {
    const fullconn = Math.ceil(clientsOf(config, backend.name) / SHARE_THAT_FILLS);
    const built = new Backend(backend, { number, first_server, memory, thread, fullconn, random });
    first_server += backend.servers.length;
    return built;
  });
}

/** Clients that may come to a backend at once. */
function clientsOf({ frontends, global }: model.Config, backend: string): number {
  const most = global.maxconn ?? DEFAULT_MAXCONN;
  const leading = frontends.filter(
    ({ default_backend, use_backends }) =>
      default_backend === backend || use_backends.some(({ name }) => name === backend),
  );
  return leading.reduce((sum, { maxconn }) => sum + (maxconn ?? most), 0);
}

/** Xorshift: quick, and good enough to share load out. */
function randomNumbers(seed: number): () => number {
  let word = (seed * 2_654_435_761) | 1;
  return () => {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    return word;
  };
}
