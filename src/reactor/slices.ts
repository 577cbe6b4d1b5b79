/**
 * Queues of slices waiting to be sent, without allocation: nodes live in columns and link by number.
 *
 *   queue (head, tail in its socket) -> node -> node -> NO_SLICE
 *
 * Each node owns one reference of its buffer.
 */
export const NO_SLICE = -1;

export class Slices {
  readonly buffer: Int32Array;
  readonly offset: Int32Array;
  readonly length: Int32Array;
  readonly next: Int32Array;
  readonly capacity: number;
  left: number;
  private free = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.buffer = new Int32Array(capacity);
    this.offset = new Int32Array(capacity);
    this.length = new Int32Array(capacity);
    this.next = Int32Array.from({ length: capacity }, (_, index) => (index + 1 < capacity ? index + 1 : NO_SLICE));
    this.left = capacity;
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
