/**
 * A data thread: a reactor and the proxies on it, in one synchronous loop for ever. No promise, timer or stream runs here;
 * main wakes it by the eventfd.
 *
 *   configure ──▶ a new proxy takes over the listeners and the idle clients ──▶ the one before drains ──▶ retired
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { ProxyThread } from '../proxy/proxy-thread.ts';
import { endSessions, listSessions } from '../proxy/session-list.ts';
import { chooseReactor } from '../reactor/choose.ts';
import { DEFAULT_COUNTS } from '../reactor/options.ts';
import type { Reactor } from '../reactor/reactor.ts';
import * as libc from '../system/libc.ts';
import type { DataSettings, FromData, GenerationSettings, RuntimeMessage, ToData } from './data-messages.ts';
import { DataSinks } from './data-sinks.ts';
import { collectNow } from './garbage.ts';
import * as shared from './shared-memory.ts';

/** An idle thread wakes for its heartbeat. */
const BEAT_MS = 200;
/** How often it looks who of a draining generation is still there. */
const LOOK_MS = 1_000;
/** After the stop word, when nothing else was said. */
const DRAIN_MS = 1_500;
/** How often it is said that descriptors or memory are short. */
const SHORTAGE_MS = 10_000;
/** Read in one go. */
const MOST_MESSAGES = 64;
const RUNNING = 1;
const STOPPED = 2;

/** A configuration as this thread serves it. */
type Generation = { readonly number: number; readonly proxy: ProxyThread; readonly memory: shared.SharedMemory };

const settings = workerData as DataSettings;
const port = parentPort as NonNullable<typeof parentPort>;

class DataThread {
  private readonly reactor: Reactor;
  private readonly reason: string;
  private readonly sinks: DataSinks;
  /** Of the process: heartbeat and stop word. */
  private readonly memory: shared.SharedMemory;
  private readonly at: number;
  private current: Generation;
  /** Earlier ones that still serve somebody. */
  private draining: Generation[] = [];
  private limit_ms: number | null = DRAIN_MS;
  private next_look_ms = 0;
  private next_shortage_ms = 0;
  /** Descriptors that it accepts on. */
  private readonly listening = new Set<number>();
  /** Of those, what others go on with. */
  private elsewhere = new Set<number>();
  /** There is no next generation for it. */
  private leaving = false;

  constructor() {
    const { reactor, reason } = chooseReactor(
      { ...DEFAULT_COUNTS, ...settings.buffers, wake_fd: settings.wake_fd, onWake: () => this.readMessages() },
      settings.reactor,
    );
    this.reactor = reactor;
    this.reason = reason;
    this.sinks = new DataSinks(reactor, settings.thread, tell);
    this.current = this.begin(settings.first);
    const { process } = settings;
    this.memory = shared.attachSharedMemory(process.shared, process.counts);
    this.at = shared.threadAt(this.memory, process.place);
    this.current.proxy.listen(settings.first.listeners);
  }

  run(): void {
    const { reactor, memory, at } = this;
    tell({ kind: 'running', thread: settings.thread, reactor: reactor.kind, reason: this.reason });
    Atomics.store(memory.words, at + shared.THREAD_STATE, RUNNING);
    let stop_ms = Number.POSITIVE_INFINITY;
    for (let stop = 0; stop !== shared.STOP_HARD; stop = Atomics.load(memory.words, shared.STOP)) {
      Atomics.store(memory.words, at + shared.THREAD_BEAT_MS, reactor.now_ms & 0x7fffffff);
      if (stop === shared.STOP_SOFT && stop_ms === Number.POSITIVE_INFINITY) {
        this.current.proxy.drain();
        stop_ms = this.limit_ms === null ? Number.MAX_SAFE_INTEGER : reactor.now_ms + this.limit_ms;
      }
      // who was accepted before a listener was given back is served, too
      const nobody = this.client_count === 0 && this.listening.size === 0;
      if (this.leaving && nobody) break;
      if (stop === shared.STOP_SOFT && (nobody || reactor.now_ms >= stop_ms)) break;
      reactor.pass(this.busy ? 0 : BEAT_MS);
      this.afterPass();
    }
    for (const generation of [...this.draining, this.current])
      this.leaving ? this.retire(generation) : this.end(generation);
    this.sinks.flush();
    reactor.destroy();
    Atomics.store(memory.words, at + shared.THREAD_STATE, STOPPED);
  }

  private afterPass(): void {
    this.current.proxy.afterPass();
    this.sinks.flush();
    this.sinks.tellDropped();
    if (this.reactor.shortage !== 0) this.tellShortage();
    if (this.draining.length > 0) this.watchDraining();
  }

  /** It lasts as a rule, and is said now and then. */
  private tellShortage(): void {
    const { reactor } = this;
    const error = reactor.shortage;
    reactor.shortage = 0;
    if (reactor.now_ms < this.next_shortage_ms) return;
    this.next_shortage_ms = reactor.now_ms + SHORTAGE_MS;
    tell({ kind: 'shortage', thread: settings.thread, error });
  }

  private get busy(): boolean {
    return this.current.proxy.busy || this.draining.some(({ proxy }) => proxy.busy);
  }

  private get client_count(): number {
    return this.draining.reduce((sum, { proxy }) => sum + proxy.client_count, this.current.proxy.client_count);
  }

  // ── generations ───────────────────────────────────────────────────────────────────────────────

  private begin(next: GenerationSettings): Generation {
    const { generation, config, shared: buffer, counts, listeners, elsewhere, lines } = next;
    this.elsewhere = new Set(elsewhere);
    const memory = shared.attachSharedMemory(buffer, counts);
    const proxy = new ProxyThread(config, settings.thread, this.reactor, memory);
    for (const { fd } of listeners) this.listening.add(fd);
    proxy.onListenerReleased = (fd) => {
      this.listening.delete(fd);
      if (!this.elsewhere.has(fd)) libc.close(fd);
    };
    proxy.pages.send = (question) => tell({ kind: 'page', generation, question });
    this.sinks.addLines(lines);
    proxy.log((target) => this.sinks.sinkFor(target));
    Atomics.store(memory.words, shared.threadAt(memory, settings.thread) + shared.THREAD_WAKE_FD, settings.wake_fd);
    return { number: generation, proxy, memory };
  }

  private configure(next: GenerationSettings): void {
    const previous = this.current;
    this.current = this.begin(next);
    this.current.proxy.takeOver(previous.proxy, next.listeners);
    this.draining.push(previous);
    this.next_look_ms = 0;
    tell({ kind: 'configured', thread: settings.thread, generation: next.generation });
  }

  private watchDraining(): void {
    const { now_ms } = this.reactor;
    const looks = now_ms >= this.next_look_ms;
    if (looks) this.next_look_ms = now_ms + LOOK_MS;
    for (const generation of this.draining) {
      generation.proxy.afterPass();
      if (generation.proxy.client_count === 0) this.retire(generation);
      else if (looks) generation.proxy.noteOldest();
    }
    if (this.draining.some(({ proxy }) => proxy.client_count === 0)) {
      this.draining = this.draining.filter(({ proxy }) => proxy.client_count > 0);
    }
  }

  private retire(generation: Generation): void {
    const { proxy, memory } = generation;
    proxy.retire();
    this.end(generation);
    Atomics.store(memory.words, shared.threadAt(memory, settings.thread) + shared.THREAD_RETIRED, 1);
  }

  private end({ proxy, memory }: Generation): void {
    Atomics.store(memory.words, shared.threadAt(memory, settings.thread) + shared.THREAD_WAKE_FD, 0);
    proxy.destroy();
  }

  // ── messages ──────────────────────────────────────────────────────────────────────────────────

  private readMessages(): void {
    for (let count = 0; count < MOST_MESSAGES; count++) {
      const received = receiveMessageOnPort(port) as { message: ToData } | undefined;
      if (!received) return;
      this.onMessage(received.message);
    }
  }

  private onMessage(message: ToData): void {
    switch (message.kind) {
      case 'configure':
        this.configure(message.settings);
        return;
      case 'leave':
        this.leaving = true;
        this.elsewhere = new Set(message.elsewhere);
        this.current.proxy.leave();
        return;
      case 'trim':
        this.reactor.buffers.trim();
        collectNow();
        return;
      case 'addresses':
        for (const { number, proxy } of [this.current, ...this.draining]) {
          if (number !== message.generation) continue;
          for (const { backend, server, endpoint } of message.changes) proxy.moveServer(backend, server, endpoint);
        }
        return;
      case 'abandon':
        for (const { number, proxy } of this.leaving ? [...this.draining, this.current] : this.draining)
          if (number === message.generation) proxy.abandonClients();
        return;
      case 'announce-end':
        this.limit_ms = message.limit_ms;
        this.current.proxy.announceEnd();
        return;
      default:
        this.onRuntime(message);
    }
  }

  /** What people ask and order at run time; earlier configurations that drain are shown and ended as well. */
  private onRuntime(message: RuntimeMessage): void {
    const all = [this.current, ...this.draining];
    if (message.kind === 'list-sessions') {
      tell({ kind: 'sessions', ask: message.ask, sessions: all.flatMap(({ proxy }) => listSessions(proxy)) });
    } else if (message.kind === 'list-bad-messages') {
      tell({ kind: 'bad-messages', ask: message.ask, messages: this.current.proxy.bad_messages.list() });
    } else if (message.kind === 'page') {
      const { ask, reply, generation } = message;
      for (const { number, proxy } of all) if (number === generation) proxy.pages.answer(ask, reply);
    } else {
      const asked = 'id' in message.which ? all : [this.current];
      const count = asked.reduce((sum, { proxy }) => sum + endSessions(proxy, message.which), 0);
      tell({ kind: 'ended', ask: message.ask, count });
    }
  }
}

function tell(message: FromData): void {
  port.postMessage(message);
}

new DataThread().run();
