/**
 * The first pieces of a head whose end has not come yet, joined in one buffer; the first few hundred bytes of it wait in a memory of
 * their own, so that thousands of clients that send a byte now and then do not hold a buffer each. Where buffers are scarce all of
 * it waits so: else many who stop within a long head would leave none for anybody.
 */
import type { Buffers } from '../../reactor/buffers.ts';

export const NO_ROOM = -1;

/** More than nearly all heads need; a slow one that is longer takes a buffer. */
const COMPACT_BYTES = 1024;
const FIRST_BYTES = 64;
/** Scarce: fewer than this share of all is left. */
const SCARCE_SHARE = 1 / 8;
const LF = 10;

export class PartialHead {
  buffer = -1;
  start = 0;
  end = 0;
  private readonly buffers: Buffers;
  /** What is kept compactly, while there is no buffer: the first `compact_length` bytes of it. */
  private compact: Uint8Array | null = null;
  private compact_length = 0;

  constructor(buffers: Buffers) {
    this.buffers = buffers;
  }

  get empty(): boolean {
    return this.buffer < 0 && this.compact === null;
  }

  /** Takes over one reference of the buffer. */
  keep(buffer: number, start: number, end: number): void {
    const { small_left, small_count } = this.buffers;
    if (end - start <= COMPACT_BYTES || small_left < small_count * SCARCE_SHARE) {
      this.compact = new Uint8Array(roomFor(end - start));
      this.compact_length = 0;
      this.putCompact(this.compact, start, end);
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

  /**
   * A piece without the end of a line: the head is not complete after it either, and nobody need look at it. True: it is kept. So
   * costs a client next to nothing that sends byte by byte.
   */
  takeInLine(offset: number, end: number): boolean {
    const { compact, compact_length } = this;
    const length = compact_length + end - offset;
    if (compact === null || length > COMPACT_BYTES || this.hasLineEnd(offset, end)) return false;
    let room = compact;
    if (length > compact.length) {
      room = new Uint8Array(roomFor(length));
      room.set(compact);
      this.compact = room;
    }
    this.putCompact(room, offset, end);
    return true;
  }

  private hasLineEnd(offset: number, end: number): boolean {
    const { bytes } = this.buffers;
    for (let at = offset; at < end; at++) if (bytes[at] === LF) return true;
    return false;
  }

  private putCompact(compact: Uint8Array, start: number, end: number): void {
    const { bytes } = this.buffers;
    for (let at = start; at < end; at++) compact[this.compact_length++] = bytes[at];
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
    this.end = this.start + this.compact_length;
    buffers.bytes.set(compact, this.start); // and what of it is not used
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

/** Doubled each time, so that a head in a thousand pieces is moved four times. */
function roomFor(length: number): number {
  let room = FIRST_BYTES;
  while (room < length) room *= 2;
  return room;
}
