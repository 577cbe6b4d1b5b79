/**
 * Every byte that passes through a reactor stands in one arena of pinned memory, cut into buffers of two classes:
 *
 *   | small × small_count (16 KiB: heads, short bodies) | large × large_count (128 KiB: long bodies) |   pipes (pipes.ts)
 *
 * A buffer is a number. A slice of it (buffer, offset in the arena, length) carries one reference; the buffer goes home
 * with its last reference. Bytes in a pipe are buffers too, but nobody can look at them: their offset is 0. The socket that received a buffer is charged for it until then: that is the whole backpressure.
 */
import { MADV_DONTNEED } from '../system/abi/linux.ts';
import { allocatePinned, madvise, munmap, type Pinned } from '../system/libc.ts';
import { Pipes } from './pipes.ts';

export const SMALL_BYTES = 16 * 1024;
export const LARGE_BYTES = 128 * 1024;
/**
 * What a buffer weighs against its socket's allowance. One large buffer is all that a socket may hold: it is sent before the
 * next is read, while it is in the cache. Measured with 16 streams, larger buffers or two of them cost up to a fifth more.
 */
const SMALL_WEIGHT = 1;
const LARGE_WEIGHT = 8;
export const NO_BUFFER = -1;
export const NOBODY = -1;
/** The kernel names a provided buffer by 16 bits. */
const BUFFERS_AT_MOST = 65536;

export type BufferCounts = {
  readonly small_count: number;
  readonly large_count: number;
  /** Small buffers that only heads may take: bulk waits when no more than these are left. */
  readonly reserve: number;
  /** Bytes that only pass through may do so in so many pipes; 0: they are always copied. */
  readonly pipe_count: number;
};

export class Buffers {
  readonly bytes: Uint8Array;
  readonly address: number;
  readonly small_count: number;
  readonly large_count: number;
  readonly reserve: number;
  readonly pipes: Pipes;
  /** By the last `fillPipe`. */
  filled = NO_BUFFER;
  private readonly first_pipe: number;
  /** Called when a buffer charged to socket slot `charged` comes home. */
  onHome: (charged: number, weight: number) => void = () => {};
  /** Freed buffers are overwritten, so that a use after release shows (tests). */
  poison = false;
  small_left: number;
  large_left: number;
  private readonly references: Uint16Array;
  private readonly charged: Int32Array;
  private readonly free_small: Int32Array;
  private readonly free_large: Int32Array;

  constructor(counts: BufferCounts) {
    const { small_count, large_count, reserve, pipe_count } = counts;
    if (small_count + large_count > BUFFERS_AT_MOST) throw new Error(`more than ${BUFFERS_AT_MOST} buffers`);
    this.first_pipe = small_count + large_count;
    this.pipes = new Pipes(pipe_count);
    const arena: Pinned = allocatePinned(small_count * SMALL_BYTES + large_count * LARGE_BYTES);
    this.bytes = arena.bytes;
    this.address = arena.address;
    this.small_count = small_count;
    this.large_count = large_count;
    this.reserve = reserve;
    this.references = new Uint16Array(this.first_pipe + pipe_count);
    this.charged = new Int32Array(this.first_pipe + pipe_count).fill(NOBODY);
    this.free_small = Int32Array.from({ length: small_count }, (_, index) => small_count - 1 - index);
    this.free_large = Int32Array.from({ length: large_count }, (_, index) => small_count + large_count - 1 - index);
    this.small_left = small_count;
    this.large_left = large_count;
  }

  /** A small buffer with one reference, charged to nobody; NO_BUFFER when there is none. */
  takeSmall(): number {
    if (this.small_left === 0) return NO_BUFFER;
    const buffer = this.free_small[--this.small_left];
    this.references[buffer] = 1;
    return buffer;
  }

  takeLarge(): number {
    if (this.large_left === 0) return NO_BUFFER;
    const buffer = this.free_large[--this.large_left];
    this.references[buffer] = 1;
    return buffer;
  }

  /** A large buffer, or a small one that heads do not need; NO_BUFFER when there is neither. */
  takeBulk(): number {
    if (this.large_left > 0) return this.takeLarge();
    return this.small_left > this.reserve ? this.takeSmall() : NO_BUFFER;
  }

  /** An empty pipe with one reference; NO_BUFFER when there is none. */
  private takePipe(): number {
    const pipe = this.pipes.take();
    if (pipe < 0) return NO_BUFFER;
    this.references[this.first_pipe + pipe] = 1;
    return this.first_pipe + pipe;
  }

  /**
   * Bytes that came from a socket in the pipe `filled`, at most `most`, or a negative errno; or nothing came (0): then a plain call
   * says why, and takes what pipes cannot.
   */
  fillPipe(fd: number, most: number): number {
    const buffer = this.takePipe();
    if (buffer === NO_BUFFER) return 0;
    const result = this.pipes.fill(this.pipeOf(buffer), fd, most);
    if (result > 0) this.filled = buffer;
    else this.release(buffer);
    return result;
  }

  /** The pipe's number, or -1 for a buffer in the arena. */
  pipeOf(buffer: number): number {
    return buffer < this.first_pipe ? -1 : buffer - this.first_pipe;
  }

  get bulk_left(): number {
    return this.large_left + Math.max(0, this.small_left - this.reserve);
  }

  /** Where the buffer begins in `bytes`. */
  offsetOf(buffer: number): number {
    if (buffer >= this.first_pipe) return 0;
    return buffer < this.small_count
      ? buffer * SMALL_BYTES
      : this.small_count * SMALL_BYTES + (buffer - this.small_count) * LARGE_BYTES;
  }

  sizeOf(buffer: number): number {
    if (buffer >= this.first_pipe) return 0;
    return buffer < this.small_count ? SMALL_BYTES : LARGE_BYTES;
  }

  weightOf(buffer: number): number {
    return buffer < this.small_count ? SMALL_WEIGHT : LARGE_WEIGHT;
  }

  charge(buffer: number, slot: number): void {
    this.charged[buffer] = slot;
  }

  retain(buffer: number): void {
    this.references[buffer]++;
  }

  isShared(buffer: number): boolean {
    return this.references[buffer] > 1;
  }

  release(buffer: number): void {
    const left = this.references[buffer] - 1;
    if (left < 0) throw new Error(`buffer ${buffer} released once too often`);
    this.references[buffer] = left;
    if (left === 0) this.goHome(buffer);
  }

  /** Gives the pages of free buffers back to the system; they come again, zeroed, when one is taken. */
  trim(): void {
    for (let index = 0; index < this.small_left; index++) this.drop(this.free_small[index]);
    for (let index = 0; index < this.large_left; index++) this.drop(this.free_large[index]);
  }

  private drop(buffer: number): void {
    madvise(this.address + this.offsetOf(buffer), this.sizeOf(buffer), MADV_DONTNEED);
  }

  /** Gives the memory back: `bytes` must not be touched any more. */
  destroy(): void {
    this.pipes.destroy();
    munmap(this.address, this.small_count * SMALL_BYTES + this.large_count * LARGE_BYTES);
  }

  private goHome(buffer: number): void {
    if (this.poison && buffer < this.first_pipe) {
      const offset = this.offsetOf(buffer);
      this.bytes.fill(0xdb, offset, offset + this.sizeOf(buffer));
    }
    if (buffer < this.small_count) this.free_small[this.small_left++] = buffer;
    else if (buffer >= this.first_pipe) this.pipes.put(buffer - this.first_pipe);
    else this.free_large[this.large_left++] = buffer;
    const charged = this.charged[buffer];
    if (charged === NOBODY) return;
    this.charged[buffer] = NOBODY;
    this.onHome(charged, this.weightOf(buffer));
  }
}
