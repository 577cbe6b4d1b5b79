/**
 * A ring of bytes in shared memory from one data thread to the control thread: whole lines, or nothing.
 *
 *   word 0 head (reader)   word 1 tail (writer)   word 2 announced   then the bytes
 *
 * Head and tail count bytes and wrap at 2^31; the size is a power of two.
 */
const HEADER_BYTES = 64;
const HEAD = 0;
const TAIL = 1;
const ANNOUNCED = 2;
const WRAP = 0x7fffffff;

export const RING_BYTES = 512 * 1024;

export function createLineRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + RING_BYTES);
}

export class LineRing {
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.bytes = new Uint8Array(memory, HEADER_BYTES);
  }

  /** Writer. False: the reader is too slow, and the line is not taken. */
  put(source: Uint8Array, start: number, end: number): boolean {
    const tail = this.words[TAIL];
    const used = (tail - Atomics.load(this.words, HEAD)) & WRAP;
    const length = end - start;
    if (length > RING_BYTES - used) return false;
    const at = tail & (RING_BYTES - 1);
    const first = Math.min(length, RING_BYTES - at);
    this.bytes.set(source.subarray(start, start + first), at);
    if (first < length) this.bytes.set(source.subarray(start + first, end), 0);
    Atomics.store(this.words, TAIL, (tail + length) & WRAP);
    return true;
  }

  /** Writer. True: the reader does not know yet that there is something. */
  announce(): boolean {
    return Atomics.exchange(this.words, ANNOUNCED, 1) === 0;
  }

  /** Reader. Everything that is there, as a copy. */
  takeAll(): Uint8Array {
    Atomics.store(this.words, ANNOUNCED, 0);
    const head = this.words[HEAD];
    const length = (Atomics.load(this.words, TAIL) - head) & WRAP;
    const copy = new Uint8Array(length);
    const at = head & (RING_BYTES - 1);
    const first = Math.min(length, RING_BYTES - at);
    copy.set(this.bytes.subarray(at, at + first));
    copy.set(this.bytes.subarray(0, length - first), first);
    Atomics.store(this.words, HEAD, (head + length) & WRAP);
    return copy;
  }
}
