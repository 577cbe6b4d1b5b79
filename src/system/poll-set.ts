/**
 * Waits for descriptors and for a point in time with one ppoll(2), to the nanosecond. For threads with few
 * descriptors; allocates nothing while it waits.
 *
 *   pollfd   | fd (32) | events (16) | revents (16) |
 */
import { SystemError } from './errors.ts';
import * as libc from './libc.ts';

const POLLIN = 1;
const EINTR = 4;
const NS_PER_S = 1e9;
/** No wait is longer, whatever the deadline: a bound against clock mistakes. */
const LONGEST_WAIT_NS = 60e9;

export class PollSet {
  readonly #fds: libc.Pinned;
  readonly #timespec = libc.allocatePinned(16);
  readonly #size: number;
  #count = 0;

  /** `size`: descriptors at most. */
  constructor(size: number) {
    this.#size = size;
    this.#fds = libc.allocatePinned(size * 8);
  }

  /** Forgets all descriptors. */
  clear(): void {
    this.#count = 0;
  }

  /** Returns the descriptor's place, for `isReady`. */
  add(fd: number): number {
    if (this.#count === this.#size) throw new RangeError(`a poll set of ${this.#size} is full`);
    this.#fds.words[this.#count * 2] = fd;
    this.#fds.words[this.#count * 2 + 1] = POLLIN;
    return this.#count++;
  }

  /** Returns when a descriptor is readable (or broken), at `deadline_ns`, or on a signal. */
  wait(now_ns: number, deadline_ns: number): void {
    const wait_ns = Math.min(Math.max(deadline_ns - now_ns, 0), LONGEST_WAIT_NS);
    const seconds = Math.floor(wait_ns / NS_PER_S);
    this.#timespec.words[0] = seconds;
    this.#timespec.words[2] = wait_ns - seconds * NS_PER_S;
    for (let place = 0; place < this.#count; place++) this.#fds.words[place * 2 + 1] = POLLIN;
    if (libc.ppoll(this.#fds.address, this.#count, this.#timespec.address, 0) >= 0) return;
    const error = libc.errno();
    if (error !== EINTR) throw new SystemError('ppoll', error);
  }

  /** Whether the last `wait` found anything at that place, an error or a hang-up included. */
  isReady(place: number): boolean {
    return this.#fds.words[place * 2 + 1] >>> 16 !== 0;
  }

  close(): void {
    libc.munmap(this.#fds.address, this.#size * 8);
    libc.munmap(this.#timespec.address, 16);
  }
}
