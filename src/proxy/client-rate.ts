/**
 * New clients in a second (`rate-limit sessions`, `maxconnrate`, `maxsessrate`), counted over all threads in two words:
 *
 *   word 0   this second: its number (12 bits) │ how many came (20 bits)
 *   word 1   the one before, in the same form
 *
 * The second that counts slides, as HAProxy's does: what came in this one, and of the one before the share that is not over yet.
 */
import type { SharedMemory } from '../threads/shared-memory.ts';

const COUNT_BITS = 20;
const COUNT_MASK = (1 << COUNT_BITS) - 1;
const SECOND_MASK = 0xfff;
const TAKE_TRIES = 64;

/** What `set rate-limit` says now, else what is configured; 0: any number. */
export function rateNow({ words }: SharedMemory, configured: number, set_at: number): number {
  const set = Atomics.load(words, set_at);
  return set > 0 ? set - 1 : configured;
}

export class ClientRate {
  private readonly memory: SharedMemory;
  private readonly at: number;
  private readonly configured: number;
  private readonly set_at: number;

  /** `set_at`: the word that people set at run time; 0: there is none. */
  constructor(memory: SharedMemory, at: number, configured: number, set_at = 0) {
    this.memory = memory;
    this.at = at;
    this.configured = configured;
    this.set_at = set_at;
  }

  /** 0: any number. */
  get per_second(): number {
    return this.set_at === 0 ? this.configured : rateNow(this.memory, this.configured, this.set_at);
  }

  /** False: one more would be too many now. */
  tryTake(now_ms: number): boolean {
    const { words } = this.memory;
    const { per_second } = this;
    if (per_second === 0) return true;
    const second = Math.floor(now_ms / 1000) & SECOND_MASK;
    for (let tries = 0; tries < TAKE_TRIES; tries++) {
      const word = Atomics.load(words, this.at);
      const is_now = word >>> COUNT_BITS === second;
      if (!is_now) Atomics.store(words, this.at + 1, word);
      const count = is_now ? word & COUNT_MASK : 0;
      if (count + this.leftOver(second, now_ms) >= per_second) return false;
      const next = (second << COUNT_BITS) | (count + 1);
      if (Atomics.compareExchange(words, this.at, word, next) === word) return true;
    }
    return false;
  }

  /** It did not come to it. */
  giveBack(): void {
    if (this.per_second === 0) return;
    const { words } = this.memory;
    const word = Atomics.load(words, this.at);
    if ((word & COUNT_MASK) > 0) Atomics.compareExchange(words, this.at, word, word - 1);
  }

  /** How long until there may be room for one more. */
  delayAt_ms(now_ms: number): number {
    const per_second = Math.max(this.per_second, 1); // it may have been lifted just now
    const each_ms = Math.ceil(1000 / per_second);
    const word = Atomics.load(this.memory.words, this.at);
    const full = (word & COUNT_MASK) >= per_second && word >>> COUNT_BITS === (Math.floor(now_ms / 1000) & SECOND_MASK);
    return full ? 1000 - (now_ms % 1000) + each_ms : each_ms;
  }

  /** What of the second before counts still. */
  private leftOver(second: number, now_ms: number): number {
    const word = Atomics.load(this.memory.words, this.at + 1);
    if (word >>> COUNT_BITS !== ((second - 1) & SECOND_MASK)) return 0;
    return Math.floor(((word & COUNT_MASK) * (1000 - (now_ms % 1000))) / 1000);
  }
}
