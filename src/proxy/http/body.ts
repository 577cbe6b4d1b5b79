/**
 * How long a body is, and where it ends (RFC 9112 sections 6 and 7). One object per direction of a connection, reused.
 *
 *   chunked:  SIZE ─▶ BLANK ─▶ EXTENSION ─▶ SIZE_LF ─▶ DATA ─▶ DATA_CR ─▶ DATA_LF ─▶ SIZE …
 *               └─ size 0: … SIZE_LF ─▶ TRAILER_START ─▶ TRAILER_NAME ─▶ TRAILER ─▶ TRAILER_LF ─▶ TRAILER_START ─▶ END_LF ─▶ done
 */
import { COLON, CR, classes, LF, SEMICOLON, SPACE, TAB, TOKEN, VALUE } from './characters.ts';

export const BODY_NONE = 0;
export const BODY_LENGTH = 1;
export const BODY_CHUNKED = 2;
export const BODY_UNTIL_CLOSE = 3;

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER_START = 6;
const TRAILER = 7;
const TRAILER_LF = 8;
const END_LF = 9;
const BLANK = 10;
const TRAILER_NAME = 11;

export const BODY_MALFORMED = -1;
/** Extensions of a chunk, and trailers, are bounded: nobody needs more, and endless ones are an attack. */
const MAX_OVERHEAD_BYTES = 16 * 1024;
/** 2^48: far above any chunk, far below the limits of a Number. */
const MAX_SIZE_DIGITS = 12;

export class Body {
  kind = BODY_NONE;
  done = true;
  /** Of the whole body (BODY_LENGTH) or of the chunk (BODY_CHUNKED). */
  remaining = 0;
  /** Chunked only: what the next byte is. */
  private state = SIZE;
  private digits = 0;
  private overhead = 0;
  /** Of the present trailer's name, in lower case. */
  private name_hash = 0;
  /** Some old servers pad the size with blanks. Of a client, that is a trick. */
  private readonly may_pad: boolean;

  constructor(may_pad = false) {
    this.may_pad = may_pad;
  }

  begin(kind: number, length: number): void {
    this.kind = kind;
    this.remaining = kind === BODY_LENGTH ? length : 0; // a chunked message has none, or one that does not count
    this.done = kind === BODY_NONE || (kind === BODY_LENGTH && length === 0);
    if (kind === BODY_LENGTH && length === 0) this.kind = BODY_NONE;
    this.state = SIZE;
    this.digits = 0;
    this.overhead = 0;
  }

  /** How much is surely still to come: what the size of buffers is chosen by. */
  get expected(): number {
    return this.kind === BODY_UNTIL_CLOSE ? 0 : this.remaining;
  }

  /** How much may pass without a look: nothing of it is framing, and what follows is not part of it. */
  get unframed(): number {
    if (this.kind === BODY_UNTIL_CLOSE) return Number.POSITIVE_INFINITY;
    return this.kind === BODY_LENGTH ? this.remaining : 0;
  }

  /** How many of bytes[start, end) belong to the body; sets `done` at its end. BODY_MALFORMED: the chunks make no sense. */
  take(bytes: Uint8Array, start: number, end: number): number {
    if (this.kind === BODY_LENGTH) {
      const taken = Math.min(this.remaining, end - start);
      this.remaining -= taken;
      if (this.remaining === 0) this.done = true;
      return taken;
    }
    if (this.kind === BODY_UNTIL_CLOSE) return end - start;
    if (this.kind === BODY_NONE) return 0;
    let at = start;
    while (at < end && !this.done) {
      const next = this.state === DATA ? this.takeData(at, end) : this.takeFraming(bytes[at], at);
      if (next === BODY_MALFORMED) return BODY_MALFORMED;
      at = next;
    }
    return at - start;
  }

  /** Chunked only: whether the next byte is data, of which `remaining` follow. */
  get inData(): boolean {
    return this.state === DATA;
  }

  /** Chunked only: takes framing up to the next data; returns the offset reached. */
  takeUntilData(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && !this.done && this.state !== DATA) {
      at = this.takeFraming(bytes[at], at);
      if (at === BODY_MALFORMED) return BODY_MALFORMED;
    }
    return at;
  }

  /** Chunked only: takes data of the present chunk; returns the offset reached. */
  takeData(start: number, end: number): number {
    const taken = Math.min(this.remaining, end - start);
    this.remaining -= taken;
    if (this.remaining === 0) this.state = DATA_CR;
    return start + taken;
  }

  private takeFraming(byte: number, at: number): number {
    switch (this.state) {
      case SIZE:
        return this.takeSize(byte, at);
      case BLANK:
        if (++this.overhead > MAX_OVERHEAD_BYTES) return BODY_MALFORMED;
        return this.takeAfterSize(byte, at);
      case EXTENSION:
        if (byte === CR) this.state = SIZE_LF;
        else if ((classes[byte] & VALUE) === 0 || ++this.overhead > MAX_OVERHEAD_BYTES) return BODY_MALFORMED;
        return at + 1;
      case SIZE_LF:
        if (byte !== LF) return BODY_MALFORMED;
        this.state = this.remaining === 0 ? TRAILER_START : DATA;
        return at + 1;
      case DATA_CR:
        if (byte !== CR) return BODY_MALFORMED;
        this.state = DATA_LF;
        return at + 1;
      case DATA_LF:
        if (byte !== LF) return BODY_MALFORMED;
        this.state = SIZE;
        this.digits = 0;
        this.overhead = 0;
        return at + 1;
      default:
        return this.takeTrailer(byte, at);
    }
  }

  private takeSize(byte: number, at: number): number {
    const digit = hexadecimal(byte);
    if (digit >= 0) {
      if (++this.digits > MAX_SIZE_DIGITS) return BODY_MALFORMED;
      this.remaining = this.remaining * 16 + digit;
      return at + 1;
    }
    return this.digits === 0 ? BODY_MALFORMED : this.takeAfterSize(byte, at);
  }

  /** Anything else before a semicolon could be read in two ways. */
  private takeAfterSize(byte: number, at: number): number {
    if (byte === CR) this.state = SIZE_LF;
    else if (byte === SEMICOLON) this.state = EXTENSION;
    else if (this.may_pad && (byte === SPACE || byte === TAB)) this.state = BLANK;
    else return BODY_MALFORMED;
    return at + 1;
  }

  private takeTrailer(byte: number, at: number): number {
    if (++this.overhead > MAX_OVERHEAD_BYTES) return BODY_MALFORMED;
    switch (this.state) {
      case TRAILER_START:
        if (byte === CR) this.state = END_LF;
        else if ((classes[byte] & TOKEN) === 0) return BODY_MALFORMED;
        else {
          this.state = TRAILER_NAME;
          this.name_hash = hashOf(0, byte);
        }
        return at + 1;
      case TRAILER_NAME:
        if (byte !== COLON) {
          this.name_hash = hashOf(this.name_hash, byte);
          return (classes[byte] & TOKEN) === 0 ? BODY_MALFORMED : at + 1;
        }
        if (FORBIDDEN_TRAILERS.includes(this.name_hash)) return BODY_MALFORMED;
        this.state = TRAILER;
        return at + 1;
      case TRAILER:
        if (byte === CR) this.state = TRAILER_LF;
        else if ((classes[byte] & VALUE) === 0) return BODY_MALFORMED;
        return at + 1;
      case TRAILER_LF:
        if (byte !== LF) return BODY_MALFORMED;
        this.state = TRAILER_START;
        return at + 1;
      default: // END_LF
        if (byte !== LF) return BODY_MALFORMED;
        this.done = true;
        return at + 1;
    }
  }
}

/** A name may come in pieces, so only its hash is kept. A name that collides by chance is refused, no harm done. */
function hashOf(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + (byte | 0x20)) | 0;
}

/** What frames or routes a message has no place behind its body (RFC 9110 section 6.5.1): some receivers merge it into the head. */
const FORBIDDEN_TRAILERS = ['content-length', 'transfer-encoding', 'host'].map((name) =>
  [...name].reduce((hash, character) => hashOf(hash, character.charCodeAt(0)), 0),
);

function hexadecimal(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
