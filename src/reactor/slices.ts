/**
 * Queues of slices waiting to be sent, without allocation: nodes live in columns and link by number.
 *
 *   queue (head, tail in its socket) -> node -> node -> NO_SLICE
 *
 * Each node owns one reference of its buffer.
 */
import type { Buffers } from './buffers.ts';
import type { Socket } from './socket.ts';

export const NO_SLICE = -1;

/** Short slices are copied behind the queue's last one rather than sent by themselves. */
const COALESCE_BYTES = 512;
/** Slices that may wait at one socket. */
const QUEUE_LIMIT = 4096;

export class Slices {
  readonly buffer: Int32Array;
  readonly offset: Int32Array;
  readonly length: Int32Array;
  readonly next: Int32Array;
  readonly capacity: number;
  left: number;
  private readonly buffers: Buffers;
  private free = 0;

  constructor(capacity: number, buffers: Buffers) {
    this.capacity = capacity;
    this.buffers = buffers;
    this.buffer = new Int32Array(capacity);
    this.offset = new Int32Array(capacity);
    this.length = new Int32Array(capacity);
    this.next = Int32Array.from({ length: capacity }, (_, index) => (index + 1 < capacity ? index + 1 : NO_SLICE));
    this.left = capacity;
  }

  /** Queues a slice at a socket and takes over one reference of its buffer. False, and the reference is gone: no room. */
  append(socket: Socket, buffer: number, offset: number, length: number): boolean {
    if (this.joinTail(socket, buffer, offset, length)) return true;
    const node = socket.queue_count < QUEUE_LIMIT ? this.take(buffer, offset, length) : NO_SLICE;
    if (node === NO_SLICE) {
      this.buffers.release(buffer);
      return false;
    }
    if (socket.queue_tail === NO_SLICE) socket.queue_head = node;
    else this.next[socket.queue_tail] = node;
    socket.queue_tail = node;
    socket.queue_count++;
    return true;
  }

  /** Merges a slice with the queue's last one where they touch, or copies a short one behind it. */
  private joinTail(socket: Socket, buffer: number, offset: number, length: number): boolean {
    const { buffers } = this;
    const tail = socket.queue_tail;
    if (tail === NO_SLICE) return false;
    const tail_buffer = this.buffer[tail];
    const tail_end = this.offset[tail] + this.length[tail];
    if (tail_buffer === buffer && tail_end === offset) {
      this.length[tail] += length;
      buffers.release(buffer);
      return true;
    }
    if (length > COALESCE_BYTES || buffers.pipeOf(buffer) >= 0 || buffers.isShared(tail_buffer)) return false;
    if (tail_end + length > buffers.offsetOf(tail_buffer) + buffers.sizeOf(tail_buffer)) return false;
    buffers.bytes.copyWithin(tail_end, offset, offset + length);
    this.length[tail] += length;
    buffers.release(buffer);
    return true;
  }

  /** Takes the first node out of a queue that has one. The caller reads its columns, owns its reference and calls `put`. */
  shift(socket: Socket): number {
    const node = socket.queue_head;
    socket.queue_head = this.next[node];
    if (socket.queue_head === NO_SLICE) socket.queue_tail = NO_SLICE;
    socket.queue_count--;
    return node;
  }

  /** Empties a socket's queue; the buffers lose their references. */
  drop(socket: Socket): void {
    while (socket.queue_head !== NO_SLICE) {
      const node = this.shift(socket);
      const buffer = this.buffer[node];
      this.put(node);
      this.buffers.release(buffer);
    }
  }

  /** A new node, or NO_SLICE when all are in use. */
  take(buffer: number, offset: number, length: number): number {
    const node = this.free;
    if (node === NO_SLICE) return NO_SLICE;
    this.free = this.next[node];
    this.left--;
    this.buffer[node] = buffer;
    this.offset[node] = offset;
    this.length[node] = length;
    this.next[node] = NO_SLICE;
    return node;
  }

  put(node: number): void {
    this.next[node] = this.free;
    this.free = node;
    this.left++;
  }
}
