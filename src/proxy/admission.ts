/**
 * Room at a limit goes to the listener that has waited longest for it, over all threads.
 *
 *   thread A: a client leaves ─▶ one less at the limit ─▶ who is first, by the rows of all threads?
 *                                                            ├─ one of ours: it tries again
 *                                                            └─ one of B's: B's eventfd wakes it, and it looks for itself
 *
 * A listener is in its row before it looks for room itself, and a place is free before its thread looks into the rows, so that one
 * of both sees the other. A thread with listeners that wait looks at every pass, and there is one at least every heartbeat.
 */
import type { ClientLimit } from './client-limit.ts';
import type { Doorbell } from './doorbell.ts';
import type { Entrance } from './entrance.ts';

/** Of one limit in one pass. */
const MOST_AT_ONCE = 128;

export class Admission {
  private readonly thread: number;
  private readonly doorbell: Doorbell;
  private readonly onHurry: () => void;
  /** Limits that may have room for somebody. */
  private noted: ClientLimit[] = [];

  /** `thread` is the number in shared memory; `onHurry` makes that `serve` is called without waiting for the kernel. */
  constructor(thread: number, doorbell: Doorbell, onHurry: () => void) {
    this.thread = thread;
    this.doorbell = doorbell;
    this.onHurry = onHurry;
  }

  /** Somebody left. */
  freed(limit: ClientLimit): void {
    if (limit.waiting > 0) this.note(limit);
  }

  note(limit: ClientLimit): void {
    if (limit.noted) return;
    limit.noted = true;
    this.noted.push(limit);
    this.onHurry();
  }

  /** At the end of a pass. `limits` are those that ours may wait for. */
  serve(limits: readonly ClientLimit[]): void {
    for (let index = 0; index < limits.length; index++) {
      const limit = limits[index];
      if (limit.first && !limit.noted) this.giveRoom(limit);
    }
    if (this.noted.length === 0) return;
    const { noted } = this;
    this.noted = [];
    for (const limit of noted) {
      limit.noted = false;
      this.giveRoom(limit);
    }
  }

  private giveRoom(limit: ClientLimit): void {
    let turns = Math.min(limit.room, MOST_AT_ONCE);
    for (let called: Entrance | undefined; turns > 0; turns--) {
      const thread = limit.next_thread;
      if (thread < 0) return;
      if (thread !== this.thread) {
        this.doorbell.ring(thread);
        return;
      }
      if (limit.first === undefined || limit.first === called) return;
      called = limit.first;
      called.tryAgain();
    }
  }
}
