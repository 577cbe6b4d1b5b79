/**
 * The data plane of one thread: its reactor, its view of every frontend and backend, and what its connections share.
 * Nothing here is shared with other threads but the words of shared memory.
 */
import type * as model from '../config/model.ts';
import type { Reactor } from '../reactor/reactor.ts';
import { Socket } from '../reactor/socket.ts';
import * as shared from '../threads/shared-memory.ts';
import { Backend } from './backend.ts';
import { Frontend } from './frontend.ts';
import { ClientConnection } from './http/client-connection.ts';
import type { Exchange } from './http/exchange.ts';
import { Message } from './http/message.ts';
import { ServerConnection } from './http/server-connection.ts';
import { HeadWriter } from './http/write-head.ts';
import { RequestLog, type Target } from './log/request-log.ts';
import type { Sink } from './log/sink.ts';
import type { Server } from './server.ts';

/** Clients of the whole process without a global `maxconn`: each takes two descriptors, of which systems give 20,000 and more. */
const DEFAULT_MAXCONN = 8_000;

/** A listening descriptor and the frontend it belongs to. */
export type OpenListener = { readonly frontend: number; readonly fd: number };

export class ProxyThread {
  readonly reactor: Reactor;
  readonly memory: shared.SharedMemory;
  readonly frontends: readonly Frontend[];
  readonly backends: readonly Backend[];
  /** Filled by the parsers; valid until the next head is parsed. */
  readonly request = new Message();
  readonly response = new Message();
  readonly writer: HeadWriter;
  /** Stands where no connection is: closed, and deaf to everything. */
  readonly no_socket: Socket;
  /** Stopping: no new clients, every reply says `Connection: close`. */
  draining = false;
  client_count = 0;
  private readonly global: model.Global;
  /** Global: of all frontends and threads. */
  private readonly maxconn: number;
  private readonly at: number;
  private readonly spare: ServerConnection[] = [];

  constructor(config: model.Config, thread: number, reactor: Reactor, memory: shared.SharedMemory) {
    this.reactor = reactor;
    this.memory = memory;
    this.global = config.global;
    this.maxconn = config.global.maxconn ?? DEFAULT_MAXCONN;
    this.at = shared.threadAt(memory, thread);
    this.writer = new HeadWriter(reactor.buffers.bytes);
    this.no_socket = new Socket(reactor, -1);
    this.backends = buildBackends(config, memory);
    this.frontends = config.frontends.map((frontend, number) => {
      const backend = this.backends.find(({ config: { name } }) => name === frontend.default_backend);
      return new Frontend(this, frontend, number, backend ?? null);
    });
  }

  /** `sinkFor` gives the way to a target. */
  log(sinkFor: (target: model.LogTarget) => Sink): void {
    for (const frontend of this.frontends) {
      const targets: Target[] = frontend.config.log_targets.map((config) => ({ config, sink: sinkFor(config) }));
      if (targets.length > 0) frontend.log = new RequestLog(this, frontend, targets, this.global);
    }
  }

  listen(listeners: readonly OpenListener[]): void {
    for (const { frontend, fd } of listeners) {
      const owner = this.frontends[frontend];
      owner.listeners.push(this.reactor.listen(fd, owner));
    }
  }

  /** One turn of the loop. */
  pass(wait_ms: number): void {
    this.reactor.pass(wait_ms);
    for (let index = 0; index < this.frontends.length; index++) this.frontends[index].considerResume();
  }

  /** No new clients; those who are served are served to the end, those who only keep a connection open lose it. */
  drain(): void {
    this.draining = true;
    this.reactor.forEachSocket(({ owner }) => {
      if (owner instanceof ClientConnection) owner.closeIfIdle();
    });
    for (const frontend of this.frontends) {
      for (const listener of frontend.listeners.splice(0)) listener.release();
    }
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

  /** The process has as many clients as it may. */
  get full(): boolean {
    return this.all_clients >= this.maxconn;
  }

  pauseAll(): void {
    for (const frontend of this.frontends) frontend.pause();
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

function buildBackends(config: model.Config, memory: shared.SharedMemory): Backend[] {
  let first_server = 0;
  return config.backends.map((backend, number) => {
    const built = new Backend(backend, number, first_server, memory);
    first_server += backend.servers.length;
    return built;
  });
}
