/** The first pieces of a head whose end has not come yet, joined in one buffer. */
import type { Buffers } from '../../reactor/buffers.ts';

export const NO_ROOM = -1;

export class PartialHead {
  buffer = -1;
  start = 0;
  end = 0;
  private readonly buffers: Buffers;

  constructor(buffers: Buffers) {
    this.buffers = buffers;
  }

  get empty(): boolean {
    return this.buffer < 0;
  }

  /** Takes over one reference of the buffer. */
  keep(buffer: number, start: number, end: number): void {
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
    if (this.buffer >= 0) this.buffers.release(this.take());
  }

  /** Copies a further piece behind the first ones; returns how many of its bytes had room, NO_ROOM when there is no buffer to move to. */
  append(offset: number, end: number): number {
    const length = end - offset;
    if (this.end + length > this.limit && !this.moveToFront()) return NO_ROOM;
    const taken = Math.min(this.limit - this.end, length);
    this.buffers.bytes.copyWithin(this.end, offset, offset + taken);
    this.end += taken;
    return taken;
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
