/** What a server has sent on this connection since it was last asked something, as far as a check looks at it. */

/** As much as HAProxy's buffer takes: what is behind is never looked at. */
export const MOST_BYTES = 16_384;
const FIRST_BYTES = 256;
/** More is not kept from one check to the next. */
const KEPT_BYTES = 1024;
const NOTHING = new Uint8Array(0);

export class Received {
  length = 0;
  /** Of which the first `length` are filled. */
  bytes: Uint8Array = NOTHING;

  get full(): boolean {
    return this.length === MOST_BYTES;
  }

  /** Takes what there is room for. */
  add(bytes: Uint8Array, offset: number, length: number): void {
    const taken = Math.min(length, MOST_BYTES - this.length);
    this.makeRoom(this.length + taken);
    this.bytes.set(bytes.subarray(offset, offset + taken), this.length);
    this.length += taken;
  }

  clear(): void {
    this.length = 0;
    if (this.bytes.length > KEPT_BYTES) this.bytes = NOTHING;
  }

  private makeRoom(needed: number): void {
    if (needed <= this.bytes.length) return;
    let size = Math.max(this.bytes.length, FIRST_BYTES);
    while (size < needed) size *= 2;
    const larger = new Uint8Array(size);
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  /** Whether the bytes hold `pattern`. */
  holds(pattern: Uint8Array): boolean {
    return this.view().indexOf(pattern) >= 0;
  }

  /** One character a byte. */
  text(start = 0, end = this.length): string {
    return this.view().toString('latin1', start, Math.min(end, this.length));
  }

  hex(): string {
    return this.view().toString('hex').toUpperCase();
  }

  private view(): Buffer {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.length);
  }
}
