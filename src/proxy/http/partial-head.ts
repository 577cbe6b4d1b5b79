/**
 * The first pieces of a head whose end has not come yet, joined in one buffer; the first few hundred bytes of it wait in a memory of
 * their own, so that thousands of clients that send a byte now and then do not hold a buffer each.
 */
import type { Buffers } from '../../reactor/buffers.ts';

export const NO_ROOM = -1;

/** More than nearly all heads need; a slow one that is longer takes a buffer. */
const COMPACT_BYTES = 1024;

export class PartialHead {
  buffer = -1;
  start = 0;
  end = 0;
  private readonly buffers: Buffers;
  /** What is kept compactly: `end` bytes of it, while there is no buffer. */
  private compact: Uint8Array | null = null;

  constructor(buffers: Buffers) {
    this.buffers = buffers;
  }

  get empty(): boolean {
    return this.buffer < 0 && this.compact === null;
  }

  /** Takes over one reference of the buffer. */
  keep(buffer: number, start: number, end: number): void {
    if (end - start <= COMPACT_BYTES) {
      this.compact = this.buffers.bytes.slice(start, end);
      this.buffers.release(buffer);
      return;
    }
    this.buffer = buffer;
    this.start = start;
    this.end = end;
  }

  /** Gives the reference away. */
  take(): number {
    const buffer = this.buffer;
    this.buffer = -1;
    return buffer;
  }

  clear(): void {
    this.compact = null;
    if (this.buffer >= 0) this.buffers.release(this.take());
  }

  /** Copies a further piece behind the first ones; returns how many of its bytes had room, NO_ROOM when there is no buffer to move to. */
  append(offset: number, end: number): number {
    const length = end - offset;
    if (this.compact !== null && !this.unfold(this.compact)) return NO_ROOM;
    if (this.end + length > this.limit && !this.moveToFront()) return NO_ROOM;
    const taken = Math.min(this.limit - this.end, length);
    this.buffers.bytes.copyWithin(this.end, offset, offset + taken);
    this.end += taken;
    return taken;
  }

  /** Into a buffer of its own again. */
  private unfold(compact: Uint8Array): boolean {
    const { buffers } = this;
    const buffer = buffers.takeSmall();
    if (buffer < 0) return false;
    this.buffer = buffer;
    this.start = buffers.offsetOf(buffer);
    this.end = this.start + compact.length;
    buffers.bytes.set(compact, this.start);
    this.compact = null;
    return true;
  }

  private get limit(): number {
    return this.buffers.offsetOf(this.buffer) + this.buffers.sizeOf(this.buffer);
  }

  /** To the front of its buffer, or of a new one while slices of the old one are still being sent. */
  private moveToFront(): boolean {
    const { buffers } = this;
    const old = this.buffer;
    const target = buffers.isShared(old) ? buffers.takeSmall() : old;
    if (target < 0) return false;
    const front = buffers.offsetOf(target);
    buffers.bytes.copyWithin(front, this.start, this.end);
    this.end -= this.start - front;
    this.start = front;
    this.buffer = target;
    if (old !== target) buffers.release(old);
    return true;
  }
}
