/**
 * How many clients a bind, a frontend or the process takes at once (`maxconn`), counted over all threads without a lock: a place
 * is taken by compare-and-exchange. Each thread tells in its row of shared memory since when its listener waits that waits longest.
 */
import * as shared from '../threads/shared-memory.ts';
import type { Entrance } from './entrance.ts';

/** Clients of the whole process without a global `maxconn`: each takes two descriptors, of which systems give 20,000 and more. */
export const DEFAULT_MAXCONN = 8_000;

/** Other threads may be quicker so many times; then it counts as full, and is looked at again. */
const ENTER_TRIES = 64;
const NOBODY = -1;

export class ClientLimit {
  /** It will be looked at when this pass is over. */
  noted = false;
  private readonly memory: shared.SharedMemory;
  private readonly thread: number;
  private readonly at: number;
  private readonly row: number;
  private readonly most: () => number;
  /** This thread's listeners with a client who waits for room here, the longest first. */
  private readonly line: Entrance[] = [];

  /** `at`: where its words LIMIT_* begin; `row`: which row of the threads it has. */
  constructor(memory: shared.SharedMemory, thread: number, at: number, row: number, most: () => number) {
    this.memory = memory;
    this.thread = thread;
    this.at = at;
    this.row = shared.limitRow(memory, row);
    this.most = most;
  }

  get clients(): number {
    return Atomics.load(this.memory.words, this.at + shared.LIMIT_CLIENTS);
  }

  get room(): number {
    return this.most() - this.clients;
  }

  /** Listeners of all threads. */
  get waiting(): number {
    return Atomics.load(this.memory.words, this.at + shared.LIMIT_WAITING);
  }

  /** Whoever has not been called (`has_turn`) does not overtake those who wait. */
  tryEnter(has_turn: boolean): boolean {
    if (!has_turn && this.waiting > 0) return false;
    const { words } = this.memory;
    const most = this.most();
    for (let tries = 0; tries < ENTER_TRIES; tries++) {
      const count = Atomics.load(words, this.at);
      if (count >= most) return false;
      if (Atomics.compareExchange(words, this.at, count, count + 1) !== count) continue;
      shared.raise(this.memory, this.at + shared.LIMIT_CLIENTS_MAX, count + 1);
      return true;
    }
    return false;
  }

  /** Whoever is here already, whatever the limit. */
  enter(): void {
    const count = Atomics.add(this.memory.words, this.at, 1) + 1;
    shared.raise(this.memory, this.at + shared.LIMIT_CLIENTS_MAX, count);
  }

  leave(): void {
    Atomics.sub(this.memory.words, this.at, 1);
  }

  // ── who waits ─────────────────────────────────────────────────────────────────────────────────

  get first(): Entrance | undefined {
    return this.line[0];
  }

  add(entrance: Entrance): void {
    const behind = this.line.findIndex(({ waits_since_ms }) => waits_since_ms > entrance.waits_since_ms);
    this.line.splice(behind < 0 ? this.line.length : behind, 0, entrance);
    this.publish();
    Atomics.add(this.memory.words, this.at + shared.LIMIT_WAITING, 1);
  }

  remove(entrance: Entrance): void {
    this.line.splice(this.line.indexOf(entrance), 1);
    this.publish();
    Atomics.sub(this.memory.words, this.at + shared.LIMIT_WAITING, 1);
  }

  private publish(): void {
    const { words } = this.memory;
    const row = shared.queueAt(this.memory, this.thread, this.row);
    if (this.line.length > 0)
      Atomics.store(words, row + shared.QUEUE_SINCE_MS, this.line[0].waits_since_ms & 0x7fffffff);
    Atomics.store(words, row + shared.QUEUE_LENGTH, this.line.length);
  }

  /** The thread whose listener has waited longest; -1: nobody waits. */
  get next_thread(): number {
    const { memory } = this;
    let next = NOBODY;
    let next_ms = 0;
    for (let thread = shared.THREAD_DATA; thread < memory.counts.threads; thread++) {
      const row = shared.queueAt(memory, thread, this.row);
      if (Atomics.load(memory.words, row + shared.QUEUE_LENGTH) === 0) continue;
      const since_ms = Atomics.load(memory.words, row + shared.QUEUE_SINCE_MS);
      // of 31 bits: the difference says which one is earlier
      if (next !== NOBODY && ((since_ms - next_ms) & 0x7fffffff) < 0x40000000) continue;
      next = thread;
      next_ms = since_ms;
    }
    return next;
  }
}
