/**
 * Whether the other threads live: each stores the time of its last pass in shared memory, data threads and checks at
 * least every 250 ms, control every second.
 * A node whose threads hang must not keep an address, however well its CARP works: the engine bows out and waits in INIT.
 * (The lease is for the case that the carp thread hangs, too, and nobody is left to judge.)
 *
 *   fresh ── no beat for patience_ms ──> stalled ── beats for RECOVERY_MS ──> fresh
 */
import { ageOfMs31 } from '../system/clock.ts';
import type { WatchedThread } from './carp-messages.ts';
import { type SharedMemory, THREAD_BEAT_MS, THREAD_STATE, threadAt } from './shared-memory.ts';

/** The patience with data threads and checks. */
export const STALL_MS = 2000;
export const RECOVERY_MS = 2000;
const RUNNING = 1;

export type Verdict = 'unchanged' | 'stalled' | 'recovered';

export class ThreadHealth {
  /** A sentence on the thread that hangs, '' while none does. */
  reason = '';
  readonly #memory: SharedMemory;
  readonly #watched: readonly WatchedThread[];
  #trusted_from_ms: number;
  #fresh_since_ms = -1;

  constructor(memory: SharedMemory, watched: readonly WatchedThread[], now_ms: number) {
    this.#memory = memory;
    this.#watched = watched;
    this.#trusted_from_ms = now_ms;
  }

  /** After this thread itself stood still the others get time to beat before they are judged. */
  forgive(now_ms: number): void {
    this.#trusted_from_ms = now_ms;
  }

  /** `now_ms`: monotonic milliseconds, low 31 bits. */
  judge(now_ms: number): Verdict {
    const silent = this.#findSilent(now_ms);
    if (silent) return this.#stall(silent, now_ms);
    if (this.reason === '') return 'unchanged';
    if (this.#fresh_since_ms < 0) this.#fresh_since_ms = now_ms;
    if (ageOfMs31(this.#fresh_since_ms, now_ms) < RECOVERY_MS) return 'unchanged';
    this.reason = '';
    return 'recovered';
  }

  #stall(silent: WatchedThread, now_ms: number): Verdict {
    this.#fresh_since_ms = -1;
    if (this.reason !== '') return 'unchanged';
    if (ageOfMs31(this.#trusted_from_ms, now_ms) < silent.patience_ms) return 'unchanged';
    this.reason = `the ${silent.name} thread has not moved for ${silent.patience_ms} ms`;
    return 'stalled';
  }

  #findSilent(now_ms: number): WatchedThread | undefined {
    for (const watched of this.#watched) {
      const at = threadAt(this.#memory, watched.thread);
      if (Atomics.load(this.#memory.words, at + THREAD_STATE) !== RUNNING) continue;
      const age = ageOfMs31(Atomics.load(this.#memory.words, at + THREAD_BEAT_MS), now_ms);
      // Another thread may have stored a beat after `now_ms` was read: that is an age just under the wrap.
      if (age > watched.patience_ms && age < 0x4000_0000) return watched;
    }
    return undefined;
  }
}
