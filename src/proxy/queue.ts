/**
 * Room at a server goes to whoever waits longest for it, over all threads.
 *
 *   thread A: a request ends ─▶ one less at the server ─▶ who is first, by the rows of all threads?
 *                                                            ├─ one of ours: it takes the place (compare and exchange)
 *                                                            └─ one of B's: a word and B's eventfd say where there is room
 *   thread B: wakes, looks for itself, takes the place; or finds that somebody was quicker, or its request gone, and looks who is next
 *
 * Nobody owns a place that is free: whoever comes late finds the next look. A request is in its row before it looks for room itself,
 * and a place is free before its thread looks into the rows, so that one of both sees the other. New requests do not overtake: they
 * wait where somebody waits already. Room is given away at the end of a pass of the loop, never from within it.
 */
import * as shared from '../threads/shared-memory.ts';
import type { Assignment } from './assignment.ts';
import type { Backend } from './backend.ts';
import type { Doorbell } from './doorbell.ts';
import type { Server } from './server.ts';

/** Of one server in one pass; what is left has its turn in the next one. */
const MOST_AT_ONCE = 128;
const NOBODY = -1;
/** While slow starts let limits grow, those who wait are looked at this often. */
const LOOK_MS = 100;

type Place = { readonly backend: Backend; readonly server: Server };

export class Queue {
  private readonly memory: shared.SharedMemory;
  private readonly thread: number;
  private readonly backends: readonly Backend[];
  private readonly places: readonly Place[];
  private readonly versions: Int32Array;
  /** Servers that may have room for somebody; looked at and emptied at the end of each pass. */
  private noted: Server[] = [];
  private looked: Server[] = [];
  /** Of this thread, at whatever server. */
  private waiting = 0;
  private next_look_ms = 0;
  private readonly doorbell: Doorbell;

  /** `thread` is the number in shared memory. */
  constructor(memory: shared.SharedMemory, thread: number, backends: readonly Backend[], doorbell: Doorbell) {
    this.doorbell = doorbell;
    this.memory = memory;
    this.thread = thread;
    this.backends = backends;
    this.places = backends.flatMap((backend) => backend.servers.map((server) => ({ backend, server })));
    this.versions = Int32Array.from(backends, ({ version }) => version);
  }

  /** There is more to do at once. */
  get busy(): boolean {
    return this.noted.length > 0;
  }

  wait(assignment: Assignment, backend: Backend, server: Server | null): void {
    this.waiting++;
    (server ? server.waiting : backend.waiting).add(assignment);
    if (server) this.noteRoom(server);
    else for (const each of backend.servers) this.noteRoom(each);
  }

  leave(assignment: Assignment, backend: Backend, server: Server | null): void {
    this.waiting--;
    (server ? server.waiting : backend.waiting).remove(assignment);
    // the place that it was woken for is for the next one
    if (server) this.noteRoom(server);
  }

  /** A place at a server is free. */
  freed(backend: Backend, server: Server): void {
    if (server.waiting.queued > 0 || backend.waiting.queued > 0) this.noteRoom(server);
  }

  /** At the end of a pass. */
  serve(now_ms: number): void {
    this.heedOthers();
    if (this.waiting > 0) this.watchServers(now_ms);
    if (this.noted.length === 0) return;
    const { noted } = this;
    this.noted = this.looked;
    this.looked = noted;
    for (let index = 0; index < noted.length; index++) {
      const server = noted[index];
      server.room_noted = false;
      this.giveRoom(this.places[server.number], now_ms);
    }
    noted.length = 0;
  }

  private noteRoom(server: Server): void {
    if (server.room_noted) return;
    server.room_noted = true;
    this.noted.push(server);
  }

  private giveRoom({ backend, server }: Place, now_ms: number): void {
    for (let left = MOST_AT_ONCE; left > 0; left--) {
      const thread = this.findNext(backend, server, now_ms);
      if (thread === NOBODY || server.connections >= backend.limitOf(server, now_ms)) return;
      if (thread !== this.thread) {
        this.wake(thread, server);
        return;
      }
      const assignment = (this.next_is_servers ? server : backend).waiting.first;
      if (!assignment || !server.tryEnter(backend.limitOf(server, now_ms))) return;
      assignment.takePlace(server);
    }
    this.noteRoom(server);
  }

  // ── who is first ──────────────────────────────────────────────────────────────────────────────

  private next_is_servers = false;

  /** The thread whose request has the highest priority and has waited longest, for this server or for any. */
  private findNext(backend: Backend, server: Server, now_ms: number): number {
    const { memory } = this;
    const { threads, servers } = memory.counts;
    const gives = backend.waiting.queued > 0 && backend.gives(server, now_ms);
    const serves = server.waiting.queued > 0 && (server.running || backend.config.persist);
    let best = NOBODY;
    let best_row = -1;
    for (let thread = shared.THREAD_DATA; thread < threads; thread++) {
      if (serves) {
        const row = shared.queueAt(memory, thread, server.number);
        if (this.isBefore(row, best_row)) {
          best = thread;
          best_row = row;
          this.next_is_servers = true;
        }
      }
      if (gives) {
        const row = shared.queueAt(memory, thread, servers + backend.number);
        if (this.isBefore(row, best_row)) {
          best = thread;
          best_row = row;
          this.next_is_servers = false;
        }
      }
    }
    return best;
  }

  private isBefore(row: number, other: number): boolean {
    const { words } = this.memory;
    if (Atomics.load(words, row + shared.QUEUE_LENGTH) === 0) return false;
    if (other < 0) return true;
    const priority =
      Atomics.load(words, row + shared.QUEUE_PRIORITY) - Atomics.load(words, other + shared.QUEUE_PRIORITY);
    if (priority !== 0) return priority < 0;
    const since_ms = Atomics.load(words, row + shared.QUEUE_SINCE_MS);
    const other_ms = Atomics.load(words, other + shared.QUEUE_SINCE_MS);
    return ((since_ms - other_ms) & 0x7fffffff) >= 0x40000000;
  }

  // ── other threads ─────────────────────────────────────────────────────────────────────────────

  private wake(thread: number, server: Server): void {
    const { words } = this.memory;
    const at = shared.threadAt(this.memory, thread);
    let before = Atomics.compareExchange(words, at + shared.THREAD_ROOM_AT, 0, server.number + 1);
    if (before === server.number + 1) return;
    if (before !== 0) before = Atomics.exchange(words, at + shared.THREAD_ROOM_AT, shared.ROOM_AT_SEVERAL);
    if (before === 0) this.doorbell.ring(thread);
  }

  private heedOthers(): void {
    const { words } = this.memory;
    const at = shared.threadAt(this.memory, this.thread) + shared.THREAD_ROOM_AT;
    if (Atomics.load(words, at) === 0) return;
    const where = Atomics.exchange(words, at, 0);
    if (where > 0) this.noteRoom(this.places[where - 1].server);
    else this.noteAll();
  }

  /** Everywhere where one of ours waits. */
  private noteAll(): void {
    for (const { backend, server } of this.places) {
      if (server.waiting.length > 0 || backend.waiting.length > 0) this.noteRoom(server);
    }
  }

  // ── servers that come and go ──────────────────────────────────────────────────────────────────

  private watchServers(now_ms: number): void {
    for (let number = 0; number < this.backends.length; number++) {
      const { version } = this.backends[number];
      if (version === this.versions[number]) continue;
      this.versions[number] = version;
      for (const server of this.backends[number].servers) this.serverChanged(server);
    }
    if (now_ms < this.next_look_ms) return;
    this.next_look_ms = now_ms + LOOK_MS;
    this.noteAll();
  }

  /** Who waits for a server that is gone asks for another one, if it may. */
  private serverChanged(server: Server): void {
    this.noteRoom(server);
    if (server.running) return;
    for (let left = server.waiting.length, next = server.waiting.first; next && left > 0; left--) {
      const assignment = next;
      next = assignment.behind;
      assignment.serverGone();
    }
  }
}
