/** Writes a log line as bytes into a buffer of the arena: no strings on the way. What does not fit is cut off. */

const encoder = new TextEncoder();
const SPACE = 32;
const MINUS = 45;
const ZERO = 48;
const QUOTE = 34;
const HASH = 35;
const HEXADECIMAL = encoder.encode('0123456789ABCDEF');

export class LineWriter {
  private readonly bytes: Uint8Array;
  private readonly digits = new Uint8Array(20);
  private at = 0;
  private limit = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  begin(offset: number, length: number): void {
    this.at = offset;
    this.limit = offset + length;
  }

  get end(): number {
    return this.at;
  }

  byte(byte: number): void {
    if (this.at < this.limit) this.bytes[this.at++] = byte;
  }

  space(): void {
    this.byte(SPACE);
  }

  text(bytes: Uint8Array): void {
    const length = Math.min(bytes.length, this.limit - this.at);
    for (let index = 0; index < length; index++) this.bytes[this.at + index] = bytes[index];
    this.at += length;
  }

  integer(value: number): void {
    if (value < 0) {
      this.byte(MINUS);
      value = -value;
    }
    let first = this.digits.length;
    do {
      const rest = Math.floor(value / 10);
      this.digits[--first] = ZERO + (value - rest * 10);
      value = rest;
    } while (value > 0 && first > 0);
    for (; first < this.digits.length; first++) this.byte(this.digits[first]);
  }

  /** Exactly `width` digits. */
  padded(value: number, width: number): void {
    for (let unit = 10 ** (width - 1); unit >= 1; unit /= 10) this.byte(ZERO + (Math.floor(value / unit) % 10));
  }

  /** Bytes of somebody else's choosing: what could break a line or a quote becomes `#XX`, as HAProxy writes it. */
  foreign(source: Uint8Array, start: number, end: number): void {
    for (let index = start; index < end; index++) {
      const byte = source[index];
      if (byte >= SPACE && byte < 0x7f && byte !== QUOTE && byte !== HASH) {
        this.byte(byte);
        continue;
      }
      this.byte(HASH);
      this.byte(HEXADECIMAL[byte >> 4]);
      this.byte(HEXADECIMAL[byte & 15]);
    }
  }
}
