/**
 * The data plane in the test's own process, over real sockets.
 *
 *   Wire (client) ──▶ ProxyThread, one pass after the other between Node's events ──▶ Wire (server)
 *
 * Every test ends with `everythingIsHome`: buffers, slices, sockets, timers and the counts in shared memory.
 */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { loadConfig } from '#src/config/load.js';
import { ProxyThread } from '#src/proxy/proxy-thread.js';
import { EpollReactor } from '#src/reactor/epoll.js';
import type { Reactor } from '#src/reactor/reactor.js';
import { RingReactor } from '#src/reactor/ring.js';
import { EFD_CLOEXEC, EFD_NONBLOCK } from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';
import * as shared from '#src/threads/shared-memory.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { listenOnLoopback } from '../reactor/peer.js';
import { type Backend, Wire } from './wire.js';

export type Kind = 'ring' | 'epoll';
export const KINDS: readonly Kind[] = ['ring', 'epoll'];

const COUNTS = { small_count: 512, large_count: 32, reserve: 32, pipe_count: 8, socket_count: 128 };

export type RigOptions = {
  /** Lines of the `defaults` section beside the mode and generous timeouts. */
  readonly defaults?: string;
  readonly frontend?: string;
  /** Words after the address of the frontend's `bind`. */
  readonly bind?: string;
  readonly backend?: string;
  readonly global?: string;
  readonly mode?: 'http' | 'tcp';
  /** Words after each server's address. */
  readonly server?: string | ((number: number) => string);
  readonly counts?: Partial<typeof COUNTS>;
  /** Several rigs with the same one are the data threads of one process; `thread` is 0, 1, … */
  readonly memory?: shared.SharedMemory;
  readonly thread?: number;
  /** Of the listening socket. */
  readonly backlog?: number;
};

export class ProxyRig {
  readonly reactor: Reactor;
  readonly proxy: ProxyThread;
  readonly memory: shared.SharedMemory;
  readonly port: number;
  private readonly listening_fd: number;
  private readonly wake_fd: number;
  private readonly wires: Wire[] = [];
  private readonly servers: readonly Backend[];
  private running = true;
  private passes = 0;
  private readonly pumping: Promise<void>;

  constructor(kind: Kind, servers: readonly Backend[], options: RigOptions = {}) {
    const config = configOf(
      servers.map(({ port }) => port),
      options,
    );
    this.servers = servers;
    this.wake_fd = libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const all = { ...COUNTS, ...options.counts, wake_fd: this.wake_fd, onWake: () => {} };
    this.reactor = kind === 'ring' ? new RingReactor(all) : new EpollReactor(all);
    this.reactor.buffers.poison = true;
    this.memory =
      options.memory ??
      memoryOf(
        config.backends.flatMap(({ servers }) => servers.map(({ weight }) => weight)),
        1,
        config.backends.length,
      );
    const thread = shared.THREAD_DATA + (options.thread ?? 0);
    this.proxy = new ProxyThread(config, thread, this.reactor, this.memory);
    this.memory.words[shared.threadAt(this.memory, thread) + shared.THREAD_WAKE_FD] = this.wake_fd;
    const { fd, port } = listenOnLoopback(options.backlog ?? 128);
    this.listening_fd = fd;
    this.port = port;
    this.proxy.listen([{ frontend: 0, bind: 0, fd }]);
    this.pumping = this.pump();
  }

  /** A new client. */
  async client(): Promise<Wire> {
    const wire = await Wire.connect(this.port);
    this.wires.push(wire);
    return wire;
  }

  /** What a client reads that sends `request` and then waits until the connection is closed. */
  async exchange(request: string): Promise<string> {
    const client = await this.client();
    client.write(request);
    await client.over();
    return client.text;
  }

  setServer(number: number, up: boolean): void {
    this.memory.words[shared.serverAt(this.memory, number) + shared.SERVER_OPERATIONAL] = up ? 1 : 0;
    Atomics.add(this.memory.words, shared.backendAt(this.memory, 0) + shared.BACKEND_VERSION, 1);
  }

  /** Requests or sessions that the server serves now. */
  connectionsOf(server: number): number {
    return this.memory.words[shared.serverAt(this.memory, server) + shared.SERVER_CONNECTIONS] as number;
  }

  get client_count(): number {
    return this.proxy.client_count;
  }

  async until(what: string, done: () => boolean): Promise<void> {
    for (const limit_ms = performance.now() + PATIENCE_MS; !done(); ) {
      assert.ok(performance.now() < limit_ms, `waited in vain until ${what}`);
      await nextTurn();
    }
  }

  /** What lies in the kernel for the proxy by now is read, and what follows from it is done. */
  async settle(): Promise<void> {
    const last = this.passes + 3;
    await this.until('it has looked', () => this.passes >= last);
  }

  /** Nobody is served at present: nothing is lent, counted or waiting. */
  assertAtRest(): void {
    assert.equal(this.client_count, 0, 'clients are gone');
    assert.deepEqual(this.buffersAway(), { small: 0, large: 0 }, 'buffers are home');
    assert.equal(this.reactor.buffers.pipes.left, COUNTS.pipe_count, 'pipes are home');
    assert.equal(this.reactor.slices.left, this.reactor.slices.capacity, 'slices are home');
    this.assertCountsAreZero();
  }

  /** The last line of every test. */
  async everythingIsHome(): Promise<void> {
    for (const wire of this.wires) wire.close();
    await this.until('the clients are gone', () => this.client_count === 0);
    for (const server of this.servers) server.closeAll();
    await this.until('the connections to servers are gone', () => this.reactor.socket_count === 0);
    this.running = false;
    await this.pumping;
    this.proxy.drain();
    for (let pass = 0; pass < 3; pass++) this.reactor.pass(0);
    assert.deepEqual(this.buffersAway(), { small: 0, large: 0 }, 'buffers are home');
    assert.equal(this.reactor.buffers.pipes.left, COUNTS.pipe_count, 'pipes are home');
    assert.equal(this.reactor.slices.left, this.reactor.slices.capacity, 'slices are home');
    assert.equal(this.reactor.timers.count, 0, 'timers are off the wheel');
    this.assertCountsAreZero();
    this.proxy.destroy();
    this.reactor.destroy();
    libc.close(this.listening_fd);
    libc.close(this.wake_fd);
    for (const server of this.servers) await server.stop();
  }

  private assertCountsAreZero(): void {
    const { words, counts } = this.memory;
    for (let number = 0; number < counts.servers; number++) assert.equal(this.connectionsOf(number), 0, 'server count');
    assert.equal(words[shared.backendAt(this.memory, 0) + shared.BACKEND_CONNECTIONS], 0, 'backend count');
    assert.equal(words[shared.frontendAt(this.memory, 0) + shared.FRONTEND_CONNECTIONS], 0, 'frontend count');
    assert.equal(this.proxy.all_clients, 0, 'thread count');
    assert.equal(words[shared.backendAt(this.memory, 0) + shared.BACKEND_QUEUED], 0, 'nobody waits');
    for (let number = 0; number < counts.servers; number++) {
      assert.equal(words[shared.serverAt(this.memory, number) + shared.SERVER_QUEUED], 0, 'nobody waits for a server');
    }
  }

  /** How many buffers are neither free nor lent to the kernel. */
  buffersAway(): { small: number; large: number } {
    const { buffers } = this.reactor;
    const provided = this.reactor instanceof RingReactor ? this.reactor.provided_count : 0;
    return {
      small: buffers.small_count - buffers.small_left - provided,
      large: buffers.large_count - buffers.large_left,
    };
  }

  private async pump(): Promise<void> {
    while (this.running) {
      this.proxy.pass(1);
      this.passes++;
      await nextTurn();
    }
  }
}

function configOf(ports: readonly number[], options: RigOptions) {
  const { mode = 'http', defaults = '', frontend = '', backend = '', global = '', server = '' } = options;
  const text = [
    `global\n${global}`,
    `defaults\n mode ${mode}\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n${defaults}`,
    `frontend front\n bind 127.0.0.1:1 ${options.bind ?? ''}\n default_backend back\n${frontend}`,
    `backend back\n${backend}`,
    ...ports.map((port, number) => ` server s${number} 127.0.0.1:${port} ${wordsOf(server, number)}`),
  ].join('\n');
  const { config, diagnostics } = loadConfig([{ file: 'haproxy.cfg', text: `${text}\n` }]);
  assert.ok(config, JSON.stringify(diagnostics));
  return config;
}

function wordsOf(server: string | ((number: number) => string), number: number): string {
  return typeof server === 'string' ? server : server(number);
}

/** One frontend, one backend; all servers up. */
export function memoryOf(weights: readonly number[], threads = 1, backends = 1): shared.SharedMemory {
  const servers = weights.length;
  const counts = { threads: shared.THREAD_DATA + threads, servers, backends, frontends: 1, binds: 1 };
  const memory = shared.createSharedMemory(counts);
  for (let number = 0; number < servers; number++) {
    const at = shared.serverAt(memory, number);
    memory.words[at + shared.SERVER_OPERATIONAL] = shared.SERVER_UP;
    memory.words[at + shared.SERVER_WEIGHT] = weights[number] as number;
  }
  return memory;
}
