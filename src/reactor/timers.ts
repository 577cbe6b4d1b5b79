/**
 * A timing wheel for deadlines that mostly never come: 4,096 spokes of 4 ms.
 *
 *   spoke = ceil(deadline / 4 ms) mod 4096     a timer further away than one turn is looked at once a turn
 *
 * Moving a deadline later is one store: the timer stays on its spoke and is hung again when that spoke comes up.
 * Timers run at most 4 ms late, never early. Times are whole milliseconds.
 */
const SPOKE_MS = 4;
const SPOKES = 4096;
const MASK = SPOKES - 1;
const NEVER = Number.POSITIVE_INFINITY;
const OFF_THE_WHEEL = -1;
const BEING_RUN = SPOKES;

/** Belongs to its owner, which allocates it once and re-arms it. */
export class Timer {
  deadline_ms = NEVER;
  /** Called as a method of the timer. */
  readonly onTimer: (this: Timer) => void;
  /** @internal */
  spoke = OFF_THE_WHEEL;
  /** @internal when that spoke comes up */
  spoke_ms = NEVER;
  /** @internal */
  previous: Timer | null = null;
  /** @internal */
  next: Timer | null = null;

  constructor(onTimer: (this: Timer) => void) {
    this.onTimer = onTimer;
  }
}

export class Timers {
  /** Nothing runs before this time; Infinity when nothing is armed. */
  next_ms = NEVER;
  /** Timers on the wheel, disarmed ones that were not passed yet among them. */
  count = 0;
  private readonly heads: (Timer | null)[] = new Array(SPOKES).fill(null);
  private readonly occupied = new Uint32Array(SPOKES / 32);
  private readonly due: Timer[] = [];
  /** The time up to which the wheel has turned, a multiple of 4. */
  private turned_ms: number;

  constructor(now_ms: number) {
    this.turned_ms = floorToSpoke(now_ms);
  }

  arm(timer: Timer, deadline_ms: number): void {
    timer.deadline_ms = deadline_ms;
    if (timer.spoke !== OFF_THE_WHEEL) {
      if (deadline_ms >= timer.spoke_ms) return; // its spoke will find it too early and hang it again
      this.unhang(timer);
    }
    this.hang(timer);
  }

  /** As cheap as a store: the timer leaves the wheel when its spoke comes up. */
  disarm(timer: Timer): void {
    timer.deadline_ms = NEVER;
  }

  /** Takes the timer off the wheel at once: for an owner that goes away. */
  remove(timer: Timer): void {
    timer.deadline_ms = NEVER;
    if (timer.spoke !== OFF_THE_WHEEL) this.unhang(timer);
  }

  /** Runs what is due. A timer that is armed by another one's `onTimer` runs in a later call. */
  advance(now_ms: number): void {
    if (now_ms < this.next_ms) return;
    const first = this.turned_ms / SPOKE_MS;
    this.turned_ms = floorToSpoke(now_ms);
    const spokes = Math.min(SPOKES, this.turned_ms / SPOKE_MS - first + 1);
    let count = 0;
    for (let step = 0; step < spokes; step++) {
      const spoke = (first + step) & MASK;
      if ((this.occupied[spoke >> 5] & (1 << (spoke & 31))) !== 0) count = this.takeSpoke(spoke, count);
    }
    for (let index = 0; index < count; index++) {
      const timer = this.due[index];
      if (timer.spoke === BEING_RUN) this.decide(timer, now_ms);
    }
    this.due.length = 0;
    this.next_ms = this.earliest();
  }

  /** All are taken off before the first one runs: what they arm waits for the next call. Returns the new count. */
  private takeSpoke(spoke: number, count: number): number {
    for (let timer = this.heads[spoke]; timer; ) {
      const next: Timer | null = timer.next;
      this.due[count++] = timer;
      timer.spoke = BEING_RUN;
      timer.previous = null;
      timer.next = null;
      timer = next;
    }
    this.heads[spoke] = null;
    this.occupied[spoke >> 5] &= ~(1 << (spoke & 31));
    return count;
  }

  private decide(timer: Timer, now_ms: number): void {
    timer.spoke = OFF_THE_WHEEL;
    this.count--;
    if (timer.deadline_ms > now_ms) {
      if (timer.deadline_ms !== NEVER) this.hang(timer);
      return;
    }
    timer.deadline_ms = NEVER;
    timer.onTimer();
  }

  private hang(timer: Timer): void {
    const turn = Math.ceil(Math.max(timer.deadline_ms, this.turned_ms) / SPOKE_MS);
    const spoke = turn & MASK;
    const head = this.heads[spoke];
    timer.spoke = spoke;
    timer.spoke_ms = turn * SPOKE_MS;
    timer.next = head;
    if (head) head.previous = timer;
    this.heads[spoke] = timer;
    this.occupied[spoke >> 5] |= 1 << (spoke & 31);
    this.count++;
    if (turn * SPOKE_MS < this.next_ms) this.next_ms = turn * SPOKE_MS;
  }

  private unhang(timer: Timer): void {
    const spoke = timer.spoke;
    timer.spoke = OFF_THE_WHEEL;
    this.count--;
    if (spoke === BEING_RUN) return;
    if (timer.previous) timer.previous.next = timer.next;
    else this.heads[spoke] = timer.next;
    if (timer.next) timer.next.previous = timer.previous;
    if (!this.heads[spoke]) this.occupied[spoke >> 5] &= ~(1 << (spoke & 31));
    timer.previous = null;
    timer.next = null;
  }

  /** When the first occupied spoke comes up. */
  private earliest(): number {
    if (this.count === 0) return NEVER;
    const first = this.turned_ms / SPOKE_MS;
    for (let timer = this.heads[first & MASK]; timer; timer = timer.next) {
      if (timer.deadline_ms <= this.turned_ms) return this.turned_ms;
    }
    for (let step = 1; step < SPOKES; ) {
      const spoke = (first + step) & MASK;
      const word = this.occupied[spoke >> 5] >>> (spoke & 31);
      if (word !== 0) return (first + step + (31 - Math.clz32(word & -word))) * SPOKE_MS;
      step += 32 - (spoke & 31);
    }
    return this.turned_ms + SPOKES * SPOKE_MS;
  }
}

function floorToSpoke(time_ms: number): number {
  return time_ms - (time_ms % SPOKE_MS);
}
