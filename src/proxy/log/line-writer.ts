/** Writes a log line as bytes into a buffer of the arena: no strings on the way. What does not fit is cut off. */

const encoder = new TextEncoder();
const SPACE = 32;
const MINUS = 45;
const ZERO = 48;
const QUOTE = 34;
const HASH = 35;
const OPEN = 123;
const BAR = 124;
const CLOSE = 125;
const BACKSLASH = 92;
const DELETE = 127;
const LARGEST_INT32 = 0x7fffffff;
const CLOSING_BRACKET = 93;
const HEXADECIMAL = encoder.encode('0123456789ABCDEF');

export class LineWriter {
  /** The arena that foreign bytes lie in, and as a rule lines too. */
  readonly memory: Uint8Array;
  private readonly bytes: Uint8Array;
  private readonly digits = new Uint8Array(20);
  private at = 0;
  private start = 0;
  private limit = 0;

  constructor(memory: Uint8Array, bytes = memory) {
    this.memory = memory;
    this.bytes = bytes;
  }

  begin(offset: number, length: number): void {
    this.at = offset;
    this.start = offset;
    this.limit = offset + length;
  }

  get end(): number {
    return this.at;
  }

  byte(byte: number): void {
    if (this.at < this.limit) this.bytes[this.at++] = byte;
  }

  /** One blank, but not behind another one nor at the beginning. */
  separate(): void {
    if (this.at > this.start && this.bytes[this.at - 1] !== SPACE) this.byte(SPACE);
  }

  text(bytes: Uint8Array): void {
    const { bytes: line, at } = this;
    const length = Math.min(bytes.length, this.limit - at);
    for (let index = 0; index < length; index++) line[at + index] = bytes[index];
    this.at = at + length;
  }

  integer(value: number): void {
    if (value >= 0 && value < 10) {
      this.byte(ZERO + value); // as most are
      return;
    }
    if (value < 0) {
      this.byte(MINUS);
      value = -value;
    }
    const { digits } = this;
    let first = digits.length;
    for (; value > LARGEST_INT32; value = Math.floor(value / 10)) digits[--first] = ZERO + (value % 10);
    let left = value | 0; // to divide these is quick
    do {
      const rest = (left / 10) | 0;
      digits[--first] = ZERO + (left - rest * 10);
      left = rest;
    } while (left > 0);
    for (; first < digits.length; first++) this.byte(digits[first]);
  }

  /** At least `width` digits. */
  hexadecimal(value: number, width: number): void {
    this.text(encoder.encode(Math.max(0, value).toString(16).toUpperCase().padStart(width, '0')));
  }

  /** Exactly `width` digits, of a value that has no more. */
  padded(value: number, width: number): void {
    let unit = 1;
    for (let place = 1; place < width; place++) unit *= 10;
    let rest = value | 0;
    for (; unit >= 1; unit = (unit / 10) | 0) {
      const digit = (rest / unit) | 0;
      this.byte(ZERO + digit);
      rest -= digit * unit;
    }
  }

  /** Bytes of somebody else's choosing: what could break a line or a quote becomes `#XX`, as HAProxy writes it. */
  foreign(source: Uint8Array, start: number, end: number): void {
    for (let index = start; index < end; index++) {
      const byte = source[index];
      if (byte >= SPACE && byte < 0x7f && byte !== QUOTE && byte !== HASH) this.byte(byte);
      else this.code(byte);
    }
  }

  /** The same for a captured header, between whose braces and bars it must not write any. */
  foreignHeader(source: Uint8Array): void {
    for (let index = 0; index < source.length; index++) {
      const byte = source[index];
      const special = byte === QUOTE || byte === HASH || byte === OPEN || byte === BAR || byte === CLOSE;
      if (byte >= SPACE && byte < 0x7f && !special) this.byte(byte);
      else this.code(byte);
    }
  }

  /** The same, but quotes stay: of a cookie, which HAProxy writes as it came. */
  visible(source: Uint8Array): void {
    for (let index = 0; index < source.length; index++) {
      const byte = source[index];
      if (byte >= SPACE && byte < 0x7f) this.byte(byte);
      else this.code(byte);
    }
  }

  /** The same for samples, whose letters outside of ASCII HAProxy keeps. */
  printable(source: Uint8Array): void {
    for (let index = 0; index < source.length; index++) {
      const byte = source[index];
      if (byte >= SPACE && byte !== DELETE) this.byte(byte);
      else this.code(byte);
    }
  }

  private code(byte: number): void {
    this.byte(HASH);
    this.byte(HEXADECIMAL[byte >> 4]);
    this.byte(HEXADECIMAL[byte & 15]);
  }

  /** For what was written last, from `start` on. */
  replaceFrom(start: number, change: (text: string) => string): void {
    const text = new TextDecoder().decode(this.bytes.subarray(start, this.at));
    this.at = start;
    this.text(encoder.encode(change(text)));
  }

  /** From `start` on: a backslash before each `"`, `\\` and `]`. For what was written last. */
  escapeFrom(start: number): void {
    const written = this.bytes.slice(start, this.at);
    this.at = start;
    for (const byte of written) {
      if (byte === QUOTE || byte === BACKSLASH || byte === CLOSING_BRACKET) this.byte(BACKSLASH);
      this.byte(byte);
    }
  }
}
