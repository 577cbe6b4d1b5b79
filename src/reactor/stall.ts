/**
 * Who stood still (SIGSTOP, a paused machine) finds deadlines that passed meanwhile, and beside them the bytes that would have kept
 * them. So it listens first, and only then looks at the deadlines. Pure.
 *
 *   pass ── stood still ──▶ pass, something came ──▶ pass, something came ──▶ pass, nothing came: timers run
 */

/** Later than its wait by so much, a pass says that the thread did not run. */
const STALL_MS = 100;
/** Something may come in each pass of a busy thread: some day the deadlines have their turn. */
const MOST_PASSES = 64;

export class Stall {
  private last_ms: number;
  private passes_left = 0;

  constructor(now_ms: number) {
    this.last_ms = now_ms;
  }

  /** Once a pass, which might wait `wait_ms` and in which so much `came`. True: the timers are to wait. */
  listensFirst(now_ms: number, wait_ms: number, came: number): boolean {
    if (now_ms - this.last_ms > wait_ms + STALL_MS) this.passes_left = MOST_PASSES;
    else if (this.passes_left > 0) this.passes_left--;
    this.last_ms = now_ms;
    if (came === 0) this.passes_left = 0;
    return this.passes_left > 0;
  }
}
